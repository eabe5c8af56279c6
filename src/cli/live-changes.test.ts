import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { it } from "node:test";
import { type Event, eventText, heartbeatText } from "../serve/events/event-text.ts";
import { CommandError } from "../std/command-error.ts";
import type { Outcome } from "./api-client.ts";
import { liveChanges } from "./live-changes.ts";

const END = new CommandError("command_failed", "the end");
const AWAY = new CommandError("command_failed", "cannot reach the server");

type Query = Readonly<Record<string, unknown>>;

/** Each stream in turn, or why there is none; then the end. */
function answering(streams: readonly (string | CommandError)[], asked: Query[]) {
  const left = [...streams];
  let renewed = 0;
  return {
    stream: async ({ query }: { readonly query: Query }): Promise<Outcome<Readable>> => {
      asked.push(query);
      const next = left.shift();
      if (next === undefined) return { ok: false, error: END, mayPass: false };
      if (typeof next === "string") return { ok: true, answer: Readable.from([Buffer.from(next)]) };
      return { ok: false, error: next, mayPass: true };
    },
    renew: () => void renewed++,
  };
}

async function followed(streams: readonly (string | CommandError)[]) {
  const asked: Query[] = [];
  const told: string[] = [];
  const items: unknown[] = [];
  const tell = (line: string) => void told.push(line);
  const watched = { topic: "findings", query: { node: "a" }, follow: "c0", tell } as const;
  const read = async () => {
    for await (const some of liveChanges(answering(streams, asked), watched)) items.push(some);
  };
  await assert.rejects(read(), END);
  return { asked, told, items };
}

const text = (...events: Event[]) => events.map(eventText).join("");
const hello = (id: string): Event => ({ event: "hello", id, data: { cursor: id } });
const finding = (id: string): Event => ({ event: "finding", id, data: { id } });

it("goes on after the last thing that it saw, an event or a mere place", async () => {
  const first = `${text(hello("c0"), finding("c1"), finding("c2"))}${heartbeatText("c7")}`;
  const { asked, items, told } = await followed([first, text(hello("c7"), finding("c8"))]);
  assert.deepEqual(items, [[{ id: "c1" }, { id: "c2" }], [{ id: "c8" }]]);
  assert.deepEqual(
    asked.map(({ last_event_id: place, topic, node }) => [place, topic, node]),
    ["c0", "c7", "c8"].map((place) => [place, "findings", "a"]),
  );
  assert.deepEqual(told, []);
});

it("says once that the server is away, and that it answers again", async () => {
  const { told, items } = await followed([AWAY, AWAY, text(hello("c0"), finding("c1"))]);
  assert.deepEqual(items, [[{ id: "c1" }]]);
  assert.deepEqual(told, [
    "cannot reach the server; waiting until it answers",
    "the server answers again",
  ]);
});

it("says that the store is away, and what is not shown", async () => {
  const waiting: Event = { event: "waiting", data: { reason: "" } };
  const dropped: Event = { event: "dropped", id: "c9", data: { count: 3, from: "c1", to: "c9" } };
  const { told, asked } = await followed([text(hello("c1"), waiting, hello("c1"), dropped)]);
  assert.deepEqual(told, [
    "the store does not answer; waiting until it does",
    "the store answers again",
    "3 changes are not shown: they came faster than they were read",
  ]);
  assert.equal(asked.at(-1)?.["last_event_id"], "c9");
});
