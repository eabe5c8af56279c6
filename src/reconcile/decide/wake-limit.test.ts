import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OFFLINE_PATIENCE_MS, WAKE_STEP_MS } from "../limits.ts";
import type { NodeState } from "../node/node-memory.ts";
import { NodeStream } from "../node/node-stream.ts";
import { farewellLimitMs, pace, wakeLimitMs } from "./wake-limit.ts";

const NOW_MS = 1_800_000_000_000;
const TICK_MS = 5_000;
const HOUR_MS = 3_600_000;

/** Complete, and sealed, up to some time before now; its clock is right. */
function streamAt(behindMs: number, state: NodeState = "active"): NodeStream {
  const stream = new NodeStream("00", "node", 0);
  stream.memory.state = state;
  stream.memory.wokenAs = state;
  stream.memory.watermarkMs = NOW_MS - behindMs;
  stream.seal();
  return stream;
}

/** After each of some ticks from now on: how far behind now it wakes. */
function ticked(stream: NodeStream, ticks: number, limit = wakeLimitMs): number[] {
  return Array.from({ length: ticks }, (_, tick) => {
    const nowMs = NOW_MS + (tick + 1) * TICK_MS;
    pace(stream, nowMs - TICK_MS, nowMs);
    stream.seal();
    return NOW_MS - limit(stream, nowMs);
  });
}

describe("what waits for a node is woken", () => {
  it("up to its watermark", () => {
    const stream = streamAt(2_000);
    stream.memory.watermarkMs = NOW_MS + 3_000;
    assert.deepEqual(ticked(stream, 2), [-3_000, -3_000]);
  });

  it("up to its watermark when it is heard for the first time", () => {
    const stream = streamAt(0);
    stream.memory.sealedToMs = 0;
    assert.deepEqual(ticked(stream, 1), [0]);
  });

  it("in steps when it is complete at once after an hour", () => {
    const stream = streamAt(HOUR_MS);
    stream.memory.watermarkMs = NOW_MS;
    const steps = Array.from({ length: 5 }, (_, at) => HOUR_MS - (at + 1) * WAKE_STEP_MS);
    assert.deepEqual(ticked(stream, 7), [...steps, 0, 0]);
    assert.equal(stream.memory.pacedMs, null);
  });

  it("in steps when it is revoked", () => {
    const stream = streamAt(HOUR_MS, "silent");
    stream.memory.state = "revoked";
    const [first, second] = ticked(stream, 2);
    assert.deepEqual([first, second], [HOUR_MS - WAKE_STEP_MS, HOUR_MS - 2 * WAKE_STEP_MS]);
  });

  it("tick by tick when patience ends", () => {
    const stream = streamAt(2 * OFFLINE_PATIENCE_MS, "silent");
    assert.deepEqual(
      ticked(stream, 3),
      [1, 2, 3].map((tick) => OFFLINE_PATIENCE_MS - tick * TICK_MS),
    );
  });

  it("in steps when it says that it left an hour ago", () => {
    const stream = streamAt(HOUR_MS, "stopped");
    stream.leave("stopped", NOW_MS - HOUR_MS, { index: 1, seq: 1 });
    const steps = ticked(stream, 8, farewellLimitMs);
    assert.deepEqual(steps.slice(0, 2), [HOUR_MS - WAKE_STEP_MS, HOUR_MS - 2 * WAKE_STEP_MS]);
    assert.equal(steps.at(-1), -8 * TICK_MS);
    stream.comeBack(NOW_MS);
    pace(stream, NOW_MS, NOW_MS + TICK_MS);
    assert.deepEqual([stream.memory.farewellMs, stream.memory.wasAway], [null, false]);
  });
});
