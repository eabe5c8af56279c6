import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { parseBase64url } from "./base64url.ts";

test("only the one spelling of the right number of bytes is read", () => {
  const cases: readonly (readonly [text: string, length: number, hex: string | undefined])[] = [
    ["", 0, ""],
    ["AA", 1, "00"],
    ["_w", 1, "ff"],
    ["-_8", 2, "fbff"],
    ["AAAA", 3, "000000"],
    ["AAAAAAAA", 6, "000000000000"],
    ["AB", 1, undefined],
    ["AA==", 1, undefined],
    ["AA", 2, undefined],
    ["AAA", 1, undefined],
    ["A", 0, undefined],
    ["A", 1, undefined],
    ["+/8", 2, undefined],
    ["A A", 2, undefined],
    [" AA", 1, undefined],
    ["AA\n", 1, undefined],
    ["A.", 1, undefined],
    ["é", 1, undefined],
    ["AAA=", 2, undefined],
  ];
  for (const [text, length, hex] of cases) {
    assert.equal(parseBase64url(text, length)?.toString("hex"), hex, JSON.stringify(text));
  }
});

test("any bytes come back from their text, and from no other length", () => {
  const random = new SeededRandom(12);
  for (let length = 0; length < 100; length++) {
    const bytes = random.bytes(length);
    const text = bytes.toString("base64url");
    assert.deepEqual(parseBase64url(text, length), bytes);
    assert.equal(parseBase64url(text, length + 1), undefined);
    assert.equal(parseBase64url(`${text}A`, length), undefined);
  }
});
