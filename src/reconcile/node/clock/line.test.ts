import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bornAt, fastPpmOf, type Point } from "./line.ts";

const BUCKET_MS = 600_000;

/** One point each ten minutes of a machine that runs so fast; some are late. */
function points(count: number, ppm: number, lateMs: Record<number, number> = {}): Point[] {
  return Array.from({ length: count }, (_, at) => ({
    uptimeMs: at * BUCKET_MS,
    bornMs: 1e12 - (ppm * at * BUCKET_MS) / 1e6 + (lateMs[at] ?? 0),
  }));
}

describe("how fast an uptime runs", () => {
  const table: [what: string, of: Point[], ppm: number | undefined][] = [
    ["no points", [], undefined],
    ["too few", points(3, 50), undefined],
    ["not at all", points(4, 0), 0],
    ["fast", points(18, 50), 50],
    ["slow", points(18, -50), -50],
    ["two that are late do not matter", points(18, 50, { 3: 5_000, 9: 800 }), 50],
    ["more than any oscillator", points(18, 9_000), 500],
    ["less than any", points(18, -9_000), -500],
    ["all at one time", Array.from({ length: 5 }, () => ({ uptimeMs: 1, bornMs: 1 })), undefined],
  ];
  for (const [what, of, ppm] of table) it(what, () => assert.equal(fastPpmOf(of), ppm));
});

it("a line goes on to both sides", () => {
  const line = { uptimeMs: 1_000_000, bornMs: 500, fastPpm: 10 };
  assert.deepEqual(
    [0, 1_000_000, 3_000_000].map((uptimeMs) => bornAt(line, uptimeMs)),
    [510, 500, 480],
  );
});
