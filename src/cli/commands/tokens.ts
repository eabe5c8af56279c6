/** `tallystick tokens [list|create|revoke]` */
import type { Permission } from "../../api/roles.ts";
import type { Token } from "../../api/tokens.ts";
import type { Call, Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { wrappable } from "../../std/table.ts";
import { humanTime } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";
import { shownOnce } from "../shown-once.ts";

const create = remoteCommand({
  name: "tokens create",
  summary: "make an API token for a program; it may no more than who makes it",
  options: {
    scope: {
      type: "text",
      summary: "a permission (docs/access.md); without any, all of the role",
      value: "PERMISSION",
      repeatable: true,
    },
    ttl: {
      type: "duration",
      summary: "how long it counts; else 90d, or as long as your own",
      min: "1s",
      max: "366d",
    },
  },
  positionals: [{ name: "NAME", summary: "what it is for" }],
  async run(call, api) {
    const { scope, ttl } = call.options;
    const endsMs = ttl === undefined ? undefined : call.terminal.nowMs + ttl;
    const made = await api.call("POST /tokens", {
      body: {
        name: call.positionals[0] ?? "",
        // As they were typed: the server says which there are.
        scopes: scope.length === 0 ? undefined : (scope as readonly Permission[]),
        expires_at: endsMs === undefined ? undefined : new Date(endsMs).toISOString(),
      },
    });
    if (call.json) return call.printJson(made);
    // Alone on stdout, so that it can be caught.
    call.say(shownOnce(made.token));
    call.terminal.err(`${made.id}, until ${humanTime(made.expires_at)}; it is not shown again\n`);
  },
});

const list = remoteCommand({
  name: "tokens list",
  summary: "your API tokens, and for an owner everybody's",
  aliases: ["tokens"],
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /tokens");
    printTokens(call, items);
  },
});

const revoke = remoteCommand({
  name: "tokens revoke",
  summary: "make API tokens useless, and those that they made",
  options: {},
  positionals: [
    { name: "ID", summary: "as in `tokens list`; several are possible", repeatable: true },
  ],
  async run(call, api) {
    const revoked: Token[] = [];
    for (const id of call.positionals) {
      revoked.push(await api.call("DELETE /tokens/{id}", { params: { id } }));
    }
    printTokens(call, revoked);
  },
});

function printTokens(
  call: Pick<Call<OptionTable>, "json" | "printJson" | "printTable">,
  tokens: readonly Token[],
): void {
  if (call.json) {
    for (const token of tokens) call.printJson(token);
    return;
  }
  call.printTable(
    ["id", "name", "user", "state", "used", "ends", wrappable("may")],
    tokens.map((token) => [
      token.id,
      token.name,
      token.user,
      token.state,
      humanTime(token.used_at),
      humanTime(token.expires_at),
      token.scopes?.join(" ") ?? "all of the role",
    ]),
  );
}

export const tokenCommands: readonly Command[] = [list, create, revoke];
