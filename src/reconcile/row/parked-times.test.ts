import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nothingParked, type ParkedMemory } from "../node/server-memory.ts";
import {
  clearParked,
  countParkedIn,
  countParked,
  MINUTE_MS,
  noteParked,
  parkedRanges,
  type TimeSpan,
} from "./parked-times.ts";

/** Minutes in which a half began, each with what its node's clock was ahead. */
function parked(...minutes: readonly [minute: number, clockMs?: number][]): ParkedMemory {
  const memory = nothingParked();
  for (const [minute, clockMs = 0] of minutes) noteParked(memory, minute * MINUTE_MS + 7, clockMs);
  return memory;
}

const minutes = (from: number, to: number): TimeSpan => [from * MINUTE_MS, to * MINUTE_MS];

describe("the minutes in which parked halves began", () => {
  const memory = parked([100], [100], [103, -20], [101, 5_000], [90]);

  it("are known in whatever order they came", () => {
    assert.deepEqual(memory, {
      firstMinute: 90,
      counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 1],
      clockMinMs: -20,
      clockMaxMs: 5_000,
    });
    assert.equal(countParked(memory), 5);
  });

  const asked: readonly [name: string, spans: TimeSpan[], ranges: [number, number][]][] = [
    ["nothing", [], []],
    ["before all", [minutes(1, 89)], []],
    ["after all", [minutes(104, 200)], []],
    ["a part of a minute", [[100 * MINUTE_MS + 59_999, 100 * MINUTE_MS + 59_999]], [[100, 101]]],
    ["neighbours, as one range", [minutes(95, 102)], [[100, 102]]],
    ["twice the same", [minutes(100, 100), minutes(99, 100)], [[100, 101]]],
    [
      "all",
      [minutes(0, 1_000)],
      [
        [90, 91],
        [100, 102],
        [103, 104],
      ],
    ],
  ];
  for (const [name, spans, ranges] of asked) {
    it(`are found: ${name}`, () => {
      const found = parkedRanges(memory, spans);
      assert.deepEqual(
        found.map(({ fromMinute, toMinute }) => [fromMinute, toMinute]),
        ranges,
      );
    });
  }

  it("are counted within a time", () => {
    assert.deepEqual(
      [minutes(0, 89), minutes(0, 90), minutes(100, 101), minutes(102, 999)].map((span) =>
        countParkedIn(memory, span),
      ),
      [0, 1, 3, 1],
    );
  });

  it("go as they are taken back, and take no room any more", () => {
    const left = parked([90], [100], [103]);
    for (const range of parkedRanges(left, [minutes(80, 95)])) clearParked(left, range);
    assert.deepEqual([left.firstMinute, left.counts], [100, [1, 0, 0, 1]]);
    for (const range of parkedRanges(left, [minutes(103, 110)])) clearParked(left, range);
    assert.deepEqual([left.firstMinute, left.counts], [100, [1]]);
    for (const range of parkedRanges(left, [minutes(0, 110)])) clearParked(left, range);
    assert.deepEqual(left.counts, []);
    noteParked(left, 50 * MINUTE_MS, 3);
    assert.deepEqual(left, { firstMinute: 50, counts: [1], clockMinMs: 3, clockMaxMs: 3 });
  });
});
