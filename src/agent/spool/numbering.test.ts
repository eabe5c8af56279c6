import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SEQ_BLOCK } from "../limits.ts";
import { Numbering } from "./numbering.ts";

const fresh = (): string => join(mkdtempSync(join(tmpdir(), "tallystick-numbering-")), "numbering");

test("counts from 0, and goes on after a clean stop without a hole", () => {
  const file = fresh();
  const first = Numbering.open(file, 0);
  assert.deepEqual([first.numbering.take(), first.numbering.take()], [0, 1]);
  first.numbering.close();
  const second = Numbering.open(file, 2);
  assert.equal(second.hole, undefined);
  assert.equal(second.numbering.take(), 2);
});

test("after an unclean end it skips everything that may have been given, and says so", () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  for (let at = 0; at < SEQ_BLOCK + 10; at++) numbering.take();
  const { numbering: next, hole } = Numbering.open(file, 5000);
  assert.equal(next.next, 2 * SEQ_BLOCK);
  assert.deepEqual(hole, { seqs: [5000, 2 * SEQ_BLOCK - 1], clean: false });
});

test("what the spool has counts, even when the file is older", () => {
  const file = fresh();
  Numbering.open(file, 0).numbering.close();
  assert.equal(Numbering.open(file, 9_000_000).numbering.take(), 9_000_000);
});

test("a clean end with less in the spool than was numbered: somebody removed entries", () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  for (let at = 0; at < 100; at++) numbering.take();
  numbering.close();
  assert.deepEqual(Numbering.open(file, 40).hole, { seqs: [40, 99], clean: true });
});
