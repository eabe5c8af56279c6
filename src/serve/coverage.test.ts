import assert from "node:assert/strict";
import { it } from "node:test";
import { coverageOf } from "./coverage.ts";

const group = (two_halves: number, connections: number, verdict = "matched", excuse = "") => ({
  is_recent: 1,
  two_halves,
  verdict,
  excuse,
  connections,
});

it("counts both ends, and names the reasons of the rest, most frequent first", () => {
  const rows = [
    group(1, 90),
    group(1, 2, "differs"),
    group(0, 3, "pending"),
    group(0, 4, "excused", "offline"),
    group(0, 1, "missing"),
  ];
  const coverage = coverageOf(rows);
  assert.deepEqual(coverage, {
    connections: 100,
    both_ends: 92,
    share: 0.92,
    one_end_by_reason: { offline: 4, pending: 3, missing: 1 },
  });
  assert.deepEqual(Object.keys(coverage.one_end_by_reason), ["offline", "pending", "missing"]);
});

it("has no share of nothing", () => {
  assert.equal(coverageOf([]).share, null);
});
