import assert from "node:assert/strict";
import { test } from "node:test";
import { MARK_EVERY_BYTES } from "./limits.ts";
import { SegmentMarks } from "./segment-marks.ts";

test("the nearest mark is at or before the index", () => {
  const marks = new SegmentMarks();
  assert.equal(marks.nearest(0, 5), undefined);
  for (let i = 0; i < 10; i++) marks.add(0, { offset: i * MARK_EVERY_BYTES, index: i * 10 });
  assert.equal(marks.nearest(0, 0)?.index, 0);
  assert.equal(marks.nearest(0, 39)?.index, 30);
  assert.equal(marks.nearest(0, 40)?.index, 40);
  assert.equal(marks.nearest(0, 1000)?.index, 90);
});

test("places close to the last mark are not kept", () => {
  const marks = new SegmentMarks();
  marks.add(0, { offset: 48, index: 0 });
  marks.add(0, { offset: 48 + MARK_EVERY_BYTES - 1, index: 1 });
  assert.equal(marks.nearest(0, 1)?.index, 0);
});

test("the segment used longest ago is forgotten", () => {
  const marks = new SegmentMarks(2);
  marks.add(0, { offset: 48, index: 0 });
  marks.add(100, { offset: 48, index: 100 });
  marks.nearest(0, 0);
  marks.add(200, { offset: 48, index: 200 });
  assert.ok(marks.nearest(0, 0));
  assert.ok(marks.nearest(200, 200));
  assert.equal(marks.nearest(100, 100), undefined);
});
