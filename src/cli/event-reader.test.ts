import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { eventText, heartbeatText } from "../serve/events/event-text.ts";
import { readEvents, type ServerEvent } from "./event-reader.ts";

const EVENTS = [
  { event: "hello", id: "c0", data: { cursor: "c0" } },
  { event: "connection", id: "c1", data: { name: "a\nb: ü", list: [1] } },
  { event: "waiting", data: { reason: "…" } },
];
const TEXT = Buffer.from(`${EVENTS.map(eventText).join("")}${heartbeatText("c9")}`);
const EXPECTED: ServerEvent<unknown>[] = [
  ...EVENTS.map(({ event, id = "", data }) => ({ event, id, data })),
  { event: "place", id: "c9", data: undefined },
] as ServerEvent<unknown>[];

async function* pieces(bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < TEXT.length; at += bytes) yield TEXT.subarray(at, at + bytes);
}

describe("events as they come in", () => {
  for (const bytes of [1, 2, 3, 7, 64, TEXT.length]) {
    it(`are the same in pieces of ${bytes} bytes`, async () => {
      const found = await Array.fromAsync(readEvents(pieces(bytes)));
      assert.deepEqual(found.flat(), EXPECTED);
      if (bytes === TEXT.length) assert.equal(found.length, 1);
    });
  }

  it("leave out comments, and what is cut short", async () => {
    const cut = [Buffer.from(`: heartbeat\n\nevent: hello\nid: c1\ndata: {"cur`)];
    assert.deepEqual(await Array.fromAsync(readEvents(Readable.from(cut))), []);
  });
});
