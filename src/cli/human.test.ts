import assert from "node:assert/strict";
import { it } from "node:test";
import { countedBytes, humanBytes, humanShare, humanSpan, humanTime } from "./human.ts";

const texts: [actual: string, expected: string][] = [
  [humanBytes(0), "0 B"],
  [humanBytes(999), "999 B"],
  [humanBytes(1_000), "1.0 KiB"],
  [humanBytes(1_536), "1.5 KiB"],
  [humanBytes(102_400), "100 KiB"],
  [humanBytes(5 * 1024 ** 3), "5.0 GiB"],
  [humanBytes(2 ** 60), "1024 PiB"],
  [countedBytes(0, "pending"), ""],
  [countedBytes(0, "unavailable"), ""],
  [countedBytes(0, "final"), "0 B"],
  [countedBytes(512, "pending"), "512 B"],
  [humanTime("2026-03-01T08:30:15.123Z"), "2026-03-01 08:30:15Z"],
  [humanTime(null), ""],
  [humanSpan(null), ""],
  [humanSpan(0), "0ms"],
  [humanSpan(-5), "0ms"],
  [humanSpan(999.6), "1s"],
  [humanSpan(61_000), "1m1s"],
  [humanSpan(90_061_000), "1d1h"],
  [humanShare(null), "none yet"],
  [humanShare(1), "100 %"],
  [humanShare(0.9999), "99.9 %"],
  [humanShare(0.5), "50 %"],
];
for (const [actual, expected] of texts) {
  it(expected === "" ? "nothing" : expected, () => assert.equal(actual, expected));
}
