import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SEQ_BLOCK } from "../limits.ts";
import { Numbering } from "./numbering.ts";

const fresh = (): string => join(mkdtempSync(join(tmpdir(), "tallystick-numbering-")), "numbering");

test("counts from 0, and goes on after a clean stop without a hole", async () => {
  const file = fresh();
  const first = Numbering.open(file, 0);
  assert.deepEqual([first.numbering.take(), first.numbering.take()], [0, 1]);
  await first.numbering.close();
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

test("what the spool has counts, even when the file is older", async () => {
  const file = fresh();
  await Numbering.open(file, 0).numbering.close();
  assert.equal(Numbering.open(file, 9_000_000).numbering.take(), 9_000_000);
});

test("a clean end with less in the spool than was numbered: somebody removed entries", async () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  for (let at = 0; at < 100; at++) numbering.take();
  await numbering.close();
  assert.deepEqual(Numbering.open(file, 40).hole, { seqs: [40, 99], clean: true });
});

test("the next block is reserved ahead, on disk before it is used", async () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  for (let at = 0; at <= SEQ_BLOCK / 2; at++) numbering.take();
  await numbering.close();
  const again = Numbering.open(file, 0);
  assert.equal(again.numbering.next, SEQ_BLOCK / 2 + 1);
  for (let at = 0; at < 3 * SEQ_BLOCK; at++) again.numbering.take();
  assert.ok(Numbering.open(file, 0).numbering.next >= again.numbering.next);
});

test("a disk that refuses holds up no number, and gives none twice once it takes writes again", async () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  const directory = dirname(file);
  rmSync(directory, { recursive: true });
  const given = SEQ_BLOCK + 3_000;
  for (let at = 0; at < given; at++) assert.equal(numbering.take(), at);
  mkdirSync(directory);
  for (let at = 0; at < 2_000; at++) numbering.take();
  const { numbering: next } = Numbering.open(file, 0);
  assert.ok(next.next >= given + 2_000, `${next.next}`);
  await numbering.close();
});

test("a number that is asked for after the end makes it no unclean one", async () => {
  const file = fresh();
  const { numbering } = Numbering.open(file, 0);
  for (let at = 0; at < SEQ_BLOCK; at++) numbering.take();
  await numbering.close();
  numbering.take();
  assert.equal(Numbering.open(file, SEQ_BLOCK).hole, undefined);
});
