import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  firstIndexOfName,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from "./segment-header.ts";

const header = {
  salt: 0xdeadbeef,
  firstIndex: 300,
  previousFirstIndex: 200,
  previousBytes: 67_108_000,
  previousCrc: 0xcafe0001,
};

test("the bytes are those of docs/journal.md", () => {
  assert.equal(
    encodeSegmentHeader(header).toString("hex"),
    [
      "74616c6c79736567", // magic
      "00010000", // version, zero
      "deadbeef", // salt
      "000000000000012c", // firstIndex
      "00000000000000c8", // previousFirstIndex
      "0000000003fffca0", // previousBytes
      "cafe0001", // previousCrc
      "4090ca16", // crc
    ].join(""),
  );
});

test("a header is read as it was written, and each flipped bit is noticed", () => {
  const bytes = encodeSegmentHeader(header);
  assert.deepEqual(decodeSegmentHeader(bytes), header);
  for (let bit = 0; bit < SEGMENT_HEADER_BYTES * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeSegmentHeader(changed), undefined, `bit ${bit}`);
  }
  assert.equal(decodeSegmentHeader(bytes.subarray(0, 47)), undefined);
});

const names = [
  { name: "00000000000000000000.seg", index: 0 },
  { name: "00000000000000001234.seg", index: 1234 },
  { name: "1234.seg", index: undefined },
  { name: "99999999999999999999.seg", index: undefined },
  { name: "00000000000000001234.seg.new", index: undefined },
  { name: "lock", index: undefined },
];

for (const { name, index } of names) {
  test(`the name ${name} says ${index}`, () => {
    assert.equal(firstIndexOfName(name), index);
    if (index !== undefined) assert.equal(segmentName(index), name);
  });
}
