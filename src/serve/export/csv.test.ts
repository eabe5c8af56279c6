import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { csvLine } from "./csv.ts";

const cells: readonly (readonly [unknown, string])[] = [
  ["plain", "plain"],
  ["", ""],
  [null, ""],
  [undefined, ""],
  [12, "12"],
  [-12, "-12"],
  [true, "true"],
  ["a,b", '"a,b"'],
  ['say "no"', '"say ""no"""'],
  ["two\nlines", '"two\nlines"'],
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["\r=1", '"\'\r=1"'],
  ['=HYPERLINK("http://evil.example","x")', '"\'=HYPERLINK(""http://evil.example"",""x"")"'],
  ["a=1", "a=1"],
  [[{ property: "tags" }], '"[{""property"":""tags""}]"'],
];

describe("a cell", () => {
  for (const [value, expected] of cells) {
    it(JSON.stringify(value) ?? "undefined", () => {
      assert.equal(csvLine([value]), `${expected}\r\n`);
    });
  }
});

it("separates cells by commas", () => {
  assert.equal(csvLine(["a", 1, "b c"]), "a,1,b c\r\n");
});
