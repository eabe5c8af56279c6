import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Loss, PendingGaps } from "./pending-gaps.ts";

const fresh = (): string => join(mkdtempSync(join(tmpdir(), "tallystick-dropped-")), "dropped");
const spool = (first: number, last: number): Loss => {
  return {
    cause: "spool",
    count: last - first + 1,
    fromMs: first,
    toMs: last,
    seqs: [first, last],
  };
};

test("neighbours become one, whatever their order", () => {
  const pending = new PendingGaps(fresh());
  pending.add([spool(20, 29), spool(0, 9)]);
  pending.add([spool(10, 19), spool(40, 49)]);
  assert.deepEqual(
    pending.take().map(({ seqs, count }) => [seqs, count]),
    [
      [[0, 19], 20],
      [[20, 29], 10],
      [[40, 49], 10],
    ],
  );
});

test("a gap of another cause keeps its own words", () => {
  const pending = new PendingGaps(fresh());
  const overflow: Loss = { cause: "overflow", count: 7, fromMs: 1, toMs: 2 };
  pending.add([overflow, spool(0, 9), spool(10, 11)]);
  assert.deepEqual(pending.take(), [spool(0, 11), overflow]);
});

test("an agent that was killed still declares them; once declared they are gone", () => {
  const file = fresh();
  new PendingGaps(file).add([spool(0, 9)]);
  const next = new PendingGaps(file);
  assert.deepEqual(next.take(), [spool(0, 9)]);
  next.taken();
  assert.ok(new PendingGaps(file).isEmpty);
});

test("they are bounded, and nothing is forgotten", () => {
  const pending = new PendingGaps(fresh());
  for (let at = 0; at < 1000; at++) pending.add([spool(at * 10, at * 10 + 4)]);
  const losses = pending.take();
  assert.ok(losses.length <= 256);
  assert.equal(
    losses.reduce((sum, { count }) => sum + (count ?? 0), 0),
    5000,
  );
});
