import assert from "node:assert/strict";
import { it } from "node:test";
import { CommandError } from "../std/command-error.ts";
import type { ApiClient } from "./api-client.ts";
import { findingCatalogue } from "../query/catalogues/findings.ts";
import { runList } from "./list-command.ts";

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_AGO = "2026-03-10T11:00:00.000Z";
const END = new CommandError("command_failed", "the end");

type Query = Readonly<Record<string, unknown>>;

/** Open ones, and others; each answer knows its place. Following ends at once. */
function answering(asked: Query[]): ApiClient {
  let answers = 0;
  const page = (query: Query) => {
    asked.push(query);
    const ids = String(query["state"]) === "open" ? ["open-2", "open-1"] : ["done-2", "done-1"];
    return { items: ids.map((id) => ({ id })), follow: `place ${answers++}` };
  };
  return {
    call: async (_name: string, { query }: { readonly query: Query }) => page(query),
    stream: async ({ query }: { readonly query: Query }) => {
      asked.push(query);
      return { ok: false, error: END, mayPass: false };
    },
  } as unknown as ApiClient;
}

async function listed(
  follow: boolean,
  itemsMax?: number,
): Promise<{ asked: Query[]; out: string[] }> {
  const asked: Query[] = [];
  const out: string[] = [];
  const options = {
    since: undefined,
    until: undefined,
    node: "a",
    where: "severity>=high",
    limit: itemsMax,
    follow,
  };
  const terminal = { env: {}, nowMs: NOW_MS, isTerminal: false, columnsMax: undefined };
  const call = {
    options,
    positionals: [],
    json: true,
    terminal: {
      ...terminal,
      out: () => undefined,
      err: () => undefined,
      settle: () => undefined,
    },
    paint: (_: unknown, text: string) => text,
    say: () => undefined,
    printJson: (value: unknown) => void out.push((value as { id: string }).id),
    printTable: () => undefined,
  };
  const spec = {
    topic: "findings" as const,
    catalogue: findingCatalogue([]),
    filters: { state: [] },
    rounds: [
      { filters: { state: ["open" as const] }, isOfAnyAge: true },
      { filters: { state: ["resolved" as const] } },
    ],
    headings: ["id"],
    row: ({ id }: { readonly id: string }) => [id],
    nothing: "",
  };
  const ended = runList(call, answering(asked), spec);
  await (follow ? assert.rejects(ended, END) : ended);
  return { asked, out };
}

it("asks for the rounds one after the other, and bounds by time those that are", async () => {
  const { asked, out } = await listed(false);
  assert.deepEqual(
    asked.map(({ state, since, node }) => [state, since, node]),
    [
      [["open"], undefined, "a"],
      [["resolved"], HOUR_AGO, "a"],
    ],
  );
  assert.deepEqual(out, ["open-2", "open-1", "done-2", "done-1"]);
});

it("shows all rounds before it follows, from the place of the first answer, whatever is their age", async () => {
  const { asked, out } = await listed(true);
  assert.deepEqual(out, ["done-1", "done-2", "open-1", "open-2"]);
  const [, , followed] = asked;
  assert.deepEqual(
    [followed?.["last_event_id"], followed?.["since"], followed?.["node"]],
    ["place 0", undefined, "a"],
  );
});

it("counts the items of all rounds against a limit", async () => {
  const { asked } = await listed(false, 3);
  assert.deepEqual(
    asked.map(({ limit }) => limit),
    [3, 1],
  );
});
