import assert from "node:assert/strict";
import { it } from "node:test";
import { NodeStream } from "./node-stream.ts";

const HOUR_MS = 3_600_000;
const T0_MS = 500_000 * HOUR_MS;

it("strangers are counted by address and hour, taken once each, and forgotten after a day", () => {
  const stream = new NodeStream("a", "a", 0);
  for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2"])
    stream.noteStranger(address, T0_MS);
  const take = (address: string, atMs: number): boolean => stream.takeStranger(address, atMs);
  // What one end began in one hour, the other may have heard of in the next.
  assert.deepEqual([take("192.0.2.3", T0_MS), take("192.0.2.1", T0_MS - 1)], [false, true]);
  assert.deepEqual([take("192.0.2.1", T0_MS), take("192.0.2.1", T0_MS)], [true, false]);
  stream.noteStranger("192.0.2.1", T0_MS + 24 * HOUR_MS);
  assert.equal(take("192.0.2.2", T0_MS), true);
  stream.noteStranger("192.0.2.2", T0_MS);
  stream.noteStranger("192.0.2.1", T0_MS + 25 * HOUR_MS);
  assert.equal(take("192.0.2.2", T0_MS), false);
  assert.equal(Object.keys(stream.memory.strangers).length, 2);
});
