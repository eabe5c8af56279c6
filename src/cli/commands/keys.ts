/** `tallystick keys create|list|revoke` */
import type { Key } from "../../api/keys.ts";
import { NAME_CHARS_MAX } from "../../format/limits.ts";
import type { Call, Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { formatDuration } from "../../std/duration.ts";
import { wrappable } from "../../std/table.ts";
import { humanTime } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";
import { shownOnce } from "../shown-once.ts";

const create = remoteCommand({
  name: "keys create",
  summary: "make an enrolment key, by which a node joins",
  options: {
    reusable: { type: "flag", summary: "any number of nodes may use it; else one" },
    approval: {
      type: "flag",
      summary: "a node waits until `nodes approve`; else it is in at once",
    },
    ttl: { type: "duration", summary: "how long it can be used", default: "24h" },
    tag: {
      type: "text",
      summary: "tag of the nodes that use it",
      repeatable: true,
      charsMax: NAME_CHARS_MAX,
    },
  },
  async run(call, api) {
    const { reusable, approval, ttl, tag } = call.options;
    const key = await api.call("POST /keys", {
      body: { reusable, needs_approval: approval, ttl_ms: ttl, tags: tag },
    });
    if (call.json) return call.printJson(key);
    // Alone on stdout, so that it can be caught: KEY=$(tallystick keys create)
    call.say(shownOnce(key.key));
    const who = reusable ? "any number of nodes" : "one node";
    call.terminal.err(`for ${who}, until ${humanTime(key.expires_at)} (${formatDuration(ttl)})\n`);
  },
});

const list = remoteCommand({
  name: "keys list",
  summary: "all enrolment keys, without their secrets",
  aliases: ["keys"],
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /keys");
    printKeys(call, items);
  },
});

const revoke = remoteCommand({
  name: "keys revoke",
  summary: "make a key useless; nodes that used it stay",
  options: {},
  positionals: [
    { name: "ID", summary: "as in `keys list`; several are possible", repeatable: true },
  ],
  async run(call, api) {
    const revoked: Key[] = [];
    for (const id of call.positionals) {
      revoked.push(await api.call("DELETE /keys/{id}", { params: { id } }));
    }
    printKeys(call, revoked);
  },
});

function printKeys(
  call: Pick<Call<OptionTable>, "json" | "printJson" | "printTable">,
  keys: readonly Key[],
): void {
  if (call.json) {
    for (const key of keys) call.printJson(key);
    return;
  }
  call.printTable(
    ["id", "state", "for", "uses", "expires", "created", wrappable("tags")],
    keys.map((key) => [
      key.id,
      key.state,
      key.reusable ? "many" : "one",
      key.uses,
      humanTime(key.expires_at),
      humanTime(key.created_at),
      key.tags.join(" "),
    ]),
  );
}

export const keyCommands: readonly Command[] = [create, list, revoke];
