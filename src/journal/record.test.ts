import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_BYTES_MAX } from "./limits.ts";
import {
  decodeRecord,
  encodeRecordHeader,
  readUInt64,
  RECORD_HEADER_BYTES,
  writeUInt64,
  type NewRecord,
  type RecordPlace,
} from "./record.ts";

const record: NewRecord = {
  type: "batch",
  receivedMs: 1_800_000_000_123,
  frame: Buffer.from("half a tally stick"),
};
const place: RecordPlace = { index: 2 ** 40 + 7, groupOffset: 4096, salt: 0xdeadbeef };

function encode(from: NewRecord, at: RecordPlace): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  encodeRecordHeader(header, 0, from, at);
  return Buffer.concat([header, from.frame]);
}

test("the bytes are those of docs/journal.md", () => {
  assert.equal(
    encode(record, place).toString("hex"),
    [
      "00000012", // frameBytes
      "333d54ef", // frameCrc
      "01000000", // type, zero
      "00001000", // groupOffset
      "0000010000000007", // index
      "000001a3185c507b", // receivedMs
      "21436671", // headerCrc
      Buffer.from("half a tally stick").toString("hex"),
    ].join(""),
  );
});

for (const type of ["batch", "evidence"] as const) {
  for (const frameBytes of [0, 1, 300, 70_000, FRAME_BYTES_MAX]) {
    test(`${type} of ${frameBytes} bytes is read as it was written`, () => {
      const frame = Buffer.alloc(frameBytes, 7);
      const bytes = encode({ ...record, type, frame }, place);
      const decoded = decodeRecord(bytes, 0, place.salt);
      assert.ok(decoded.kind === "record");
      const { index } = place;
      assert.deepEqual(decoded.record, { type, frame, index, receivedMs: record.receivedMs });
      assert.equal(decoded.bytes, bytes.length);
      assert.equal(decoded.groupOffset, place.groupOffset);
      assert.equal(decoded.headerCrc, bytes.readUInt32BE(32));
    });
  }
}

test("a record may stand anywhere in its buffer", () => {
  const bytes = Buffer.concat([Buffer.alloc(13, 1), encode(record, place), Buffer.alloc(9, 1)]);
  assert.equal(decodeRecord(bytes, 13, place.salt).kind, "record");
});

test("a part of a record asks for the rest", () => {
  const bytes = encode(record, place);
  for (let length = 0; length < bytes.length; length++) {
    const bytesNeeded = length < RECORD_HEADER_BYTES ? RECORD_HEADER_BYTES : bytes.length;
    const decoded = decodeRecord(bytes.subarray(0, length), 0, place.salt);
    assert.deepEqual(decoded, { kind: "short", bytesNeeded });
  }
});

test("each flipped bit is noticed", () => {
  const bytes = encode(record, place);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeRecord(changed, 0, place.salt).kind, "bad", `bit ${bit}`);
  }
});

test("the bytes of another segment are no record", () => {
  assert.equal(decodeRecord(encode(record, place), 0, place.salt + 1).kind, "bad");
});

test("zeros are no record", () => {
  assert.equal(decodeRecord(Buffer.alloc(1000), 0, 0).kind, "bad");
});

test("64-bit numbers are safe integers", () => {
  const bytes = Buffer.alloc(8);
  for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
    writeUInt64(bytes, 0, value);
    assert.equal(bytes.readBigUInt64BE(), BigInt(value));
    assert.equal(readUInt64(bytes, 0), value);
  }
  bytes.writeBigUInt64BE(2n ** 53n);
  assert.equal(readUInt64(bytes, 0), undefined);
});
