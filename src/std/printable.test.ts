import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, printableJson, truncated, widthColumns } from "./printable.ts";

const cases: [name: string, text: string, expected: string][] = [
  ["plain text stays", "GET /index.html 200", "GET /index.html 200"],
  ["other scripts stay", "žluťoučký 東京 مرحبا 🎉", "žluťoučký 東京 مرحبا 🎉"],
  ["an escape sequence", "\u001b[2Jgone", "‹U+001B›[2Jgone"],
  ["an eight-bit escape", "\u009b31mred", "‹U+009B›31mred"],
  ["line breaks and tabs", "a\r\nb\tc", "a‹U+000D›‹U+000A›b‹U+0009›c"],
  ["a backspace", "ok\b\bno", "ok‹U+0008›‹U+0008›no"],
  ["a right-to-left override", "exe\u202efdp", "exe‹U+202E›fdp"],
  ["an isolate", "\u2066a\u2069", "‹U+2066›a‹U+2069›"],
  ["zero width", "ad\u200bmin\u2060", "ad‹U+200B›min‹U+2060›"],
  ["byte order mark", "\ufeffa", "‹U+FEFF›a"],
  ["line separator", "a\u2028b", "a‹U+2028›b"],
  ["a variation selector", "a\ufe0f", "a‹U+FE0F›"],
  ["a tag character", "a\u{e0041}", "a‹U+E0041›"],
  ["half of a surrogate pair", "a\ud800b", "a‹U+D800›b"],
];

for (const [name, text, expected] of cases) {
  test(`printable: ${name}`, () => {
    assert.equal(printable(text), expected);
    assert.equal(printable(expected), expected);
  });
}

test("a JSON line hides nothing and parses back to the same text", () => {
  for (const [name, text] of cases) {
    const line = printableJson({ text });
    assert.equal(printable(line), line, name);
    assert.deepEqual(JSON.parse(line), { text }, name);
  }
});

test("width counts terminal columns", () => {
  assert.equal(widthColumns("abc"), 3);
  assert.equal(widthColumns("東京"), 4);
  assert.equal(widthColumns("e\u0301"), 1);
  assert.equal(widthColumns("🎉"), 2);
});

test("truncated text never exceeds its columns and says that it was cut", () => {
  assert.equal(truncated("abcdef", 6), "abcdef");
  assert.equal(truncated("abcdef", 4), "abc…");
  assert.equal(truncated("東京都", 4), "東…");
  assert.equal(truncated("ab", 1), "…");
  assert.equal(truncated("ab", 0), "");
});
