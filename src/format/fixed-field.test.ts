import assert from "node:assert/strict";
import { test } from "node:test";
import { putBytes, putU32, putU64, readU64 } from "./fixed-field.ts";

const code = "bad_receipt";
const refused = { name: "FormatError", code };
const MAX = Number.MAX_SAFE_INTEGER;

test("a u64 is big-endian and exact to its bound", () => {
  const cases: readonly (readonly [value: number, hex: string])[] = [
    [0, "0000000000000000"],
    [1, "0000000000000001"],
    [0xffff_ffff, "00000000ffffffff"],
    [0x1_0000_0000, "0000000100000000"],
    [1_800_000_000_000, "000001a3185c5000"],
    [MAX, "001fffffffffffff"],
  ];
  for (const [value, hex] of cases) {
    const out = Buffer.alloc(10);
    putU64(out, value, { at: 1, code });
    assert.equal(out.toString("hex"), `00${hex}00`);
    assert.equal(readU64(out, 1, code), value);
  }
});

test("what is no such number is refused, in both directions", () => {
  const out = Buffer.alloc(8);
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX + 1]) {
    assert.throws(() => putU64(out, value, { at: 0, code }), refused, String(value));
    assert.throws(() => putU32(out, value, { at: 0, code }), refused, String(value));
  }
  for (const hex of ["0020000000000000", "ffffffffffffffff", "0020000000000001"]) {
    assert.throws(() => readU64(Buffer.from(hex, "hex"), 0, code), refused, hex);
  }
});

test("a u32 is big-endian and refuses what is longer", () => {
  const out = Buffer.alloc(6);
  putU32(out, 0xfeed_beef, { at: 1, code });
  assert.equal(out.toString("hex"), "00feedbeef00");
  putU32(out, 0xffff_ffff, { at: 2, code });
  assert.throws(() => putU32(out, 0x1_0000_0000, { at: 0, code }), refused);
});

test("bytes are copied whole or not at all", () => {
  const out = Buffer.alloc(4);
  putBytes(out, Uint8Array.of(1, 2), { at: 1, length: 2, code });
  assert.equal(out.toString("hex"), "00010200");
  for (const length of [0, 1, 3, 100]) {
    const value = new Uint8Array(length).fill(9);
    assert.throws(() => putBytes(out, value, { at: 0, length: 2, code }), refused);
  }
  assert.equal(out.toString("hex"), "00010200");
});
