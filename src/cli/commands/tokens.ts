/** `tallystick tokens [list|create|revoke]` */
import type { Call, Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { wrappable } from "../../std/table.ts";
import { humanTime } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";

interface Token {
  readonly id: string;
  readonly name: string;
  readonly user: string;
  readonly state: string;
  readonly scopes: readonly string[] | null;
  readonly expires_at: string;
  readonly used_at: string | null;
}

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
    const made: Token & { token: string } = await api.post("/tokens", {
      name: call.positionals[0],
      ...(scope.length === 0 ? {} : { scopes: scope }),
      ...(ttl === undefined
        ? {}
        : { expires_at: new Date(call.terminal.nowMs + ttl).toISOString() }),
    });
    if (call.json) return call.printJson(made);
    // Alone on stdout, so that it can be caught.
    call.say(made.token);
    call.terminal.err(`${made.id}, until ${humanTime(made.expires_at)}; it is not shown again\n`);
  },
});

const list = remoteCommand({
  name: "tokens list",
  summary: "your API tokens, and for an owner everybody's",
  aliases: ["tokens"],
  options: {},
  async run(call, api) {
    const { items } = await api.get<{ items: Token[] }>("/tokens");
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
      revoked.push(await api.delete<Token>(`/tokens/${encodeURIComponent(id)}`));
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
