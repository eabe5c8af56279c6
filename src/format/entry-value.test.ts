import assert from "node:assert/strict";
import { test } from "node:test";
import {
  address,
  badEntry,
  integer,
  isCanonicalAddress,
  isTimeMs,
  natural,
  show,
} from "./entry-value.ts";
import { TIME_MS_END } from "./limits.ts";

const refused = { name: "FormatError", code: "bad_entry" };
const MAX = Number.MAX_SAFE_INTEGER;
const NO_INTEGERS = [
  undefined,
  null,
  true,
  "1",
  "",
  0.5,
  Number.NaN,
  MAX + 1,
  -MAX - 1,
  [1],
  {},
  1e300,
];

test("natural numbers reach from zero to their bound", () => {
  for (const value of [0, 1, 255]) assert.equal(natural(value, "x", 255), value);
  assert.equal(natural(MAX, "x"), MAX);
  for (const value of [...NO_INTEGERS, -1, 256]) {
    assert.throws(() => natural(value, "x", 255), refused);
  }
});

test("integers have either sign and are exact", () => {
  for (const value of [0, -1, MAX, -MAX]) assert.equal(integer(value, "x"), value);
  for (const value of NO_INTEGERS) assert.throws(() => integer(value, "x"), refused);
});

test("times end before the year 10000", () => {
  for (const value of [0, 1, TIME_MS_END - 1]) assert.equal(isTimeMs(value), true);
  for (const value of [...NO_INTEGERS, -1, TIME_MS_END]) assert.equal(isTimeMs(value), false);
  assert.equal(new Date(TIME_MS_END).toISOString(), "+010000-01-01T00:00:00.000Z");
});

test("only canonical addresses pass, however often they come", () => {
  const good = ["10.0.0.1", "::", "2001:db8::1", "255.255.255.255"];
  const bad = [
    "",
    "10.0.0.01",
    "2001:DB8::1",
    "::ffff:10.0.0.1",
    "::1%lo",
    "0:0::1",
    "localhost",
    " ::",
  ];
  for (let round = 0; round < 3; round++) {
    for (const text of good) {
      assert.equal(address(text, "x"), text);
      assert.equal(isCanonicalAddress(text), true);
    }
    for (const text of bad) {
      assert.throws(() => address(text, "x"), refused, text);
      assert.equal(isCanonicalAddress(text), false);
    }
    for (const value of [undefined, null, 1, {}, ["10.0.0.1"]]) {
      assert.throws(() => address(value, "x"), refused);
    }
  }
});

test("more addresses than are remembered change nothing", () => {
  for (let index = 0; index < 10_000; index++) {
    const text = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    assert.equal(address(text, "x"), text);
  }
  assert.throws(() => address("10.0.0.001", "x"), refused);
});

test("an error shows a value briefly and never walks into it", () => {
  const deep = JSON.parse("[".repeat(30_000) + "]".repeat(30_000)) as unknown;
  const cases: readonly (readonly [value: unknown, text: string])[] = [
    [undefined, "nothing"],
    [null, "null"],
    [1, "1"],
    ["a\n", '"a\\n"'],
    [deep, "an array"],
    [{ a: deep }, "an object"],
    ["x".repeat(1_000), `"${"x".repeat(63)}`],
  ];
  for (const [value, text] of cases) assert.equal(show(value), text);
  assert.equal(badEntry("why").code, "bad_entry");
});
