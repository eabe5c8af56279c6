import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "./parse.ts";
import { explain, QueryError } from "./query-error.ts";
import type { Tree, Value } from "./tree.ts";

/** A tree in prefix form, short enough to compare by eye. */
function shown(tree: Tree): string {
  switch (tree.kind) {
    case "everything":
      return "everything";
    case "and":
    case "or":
      return `(${tree.kind} ${tree.parts.map(shown).join(" ")})`;
    case "not":
      return `(not ${shown(tree.part)})`;
    case "field":
      return `${tree.field.text}${tree.operator}${shownValue(tree.value)}`;
    default:
      return shownValue(tree.value);
  }
}

function shownValue(value: Value): string {
  switch (value.is) {
    case "word":
      return value.text;
    case "phrase":
      return JSON.stringify(value.text);
    case "regex":
      return `/${value.text}/`;
    default:
      return `[${value.from.text}|${value.to.text}]`;
  }
}

const understood: [query: string, tree: string][] = [
  ["", "everything"],
  ["  \t\n ", "everything"],
  ["web", "web"],
  ["web db", "(and web db)"],
  ["a b OR c", "(or (and a b) c)"],
  ["a OR b OR c d", "(or a b (and c d))"],
  ["a AND b", "(and a b)"],
  ["a (b OR c)", "(and a (or b c))"],
  ["-a b", "(and (not a) b)"],
  ["NOT a", "(not a)"],
  ["--a", "(not (not a))"],
  ["-(a b)", "(not (and a b))"],
  ["a-b", "a-b"],
  ["or and not", "(and or and not)"],
  ['"OR" "a b"', '(and "OR" "a b")'],
  [String.raw`"say \"so\" \\ \n"`, String.raw`"say \"so\" \\ \\n"`],
  ["verdict:missing", "verdict:missing"],
  ["bytes>=1MB", "bytes>=1MB"],
  ["bytes<5", "bytes<5"],
  ["port:1..1023", "port:[1|1023]"],
  ["port:1024..", "port:[1024|]"],
  ["node:web*", "node:web*"],
  ["node:*", "node:*"],
  ["node:/^web-\\d+$/", "node:/^web-\\d+$/"],
  [String.raw`title:/a\/b/`, "title:/a/b/"],
  ['node:"a b"', 'node:"a b"'],
  ["node:(a OR b)", "(or node:a node:b)"],
  ["node:(a -b)", "(and node:a (not node:b))"],
  ["-node:(a OR b) c", "(and (not (or node:a node:b)) c)"],
  ["ip:10.0.0.0/8", "ip:10.0.0.0/8"],
  ["10.0.0.1:443", "10.0.0.1:443"],
  ["fd00::1", "fd00::1"],
  ["fe80::1/64 a", "(and fe80::1/64 a)"],
  ["::1", "::1"],
  ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1:2:3:4:5"],
  ["ip:fd00::/8", "ip:fd00::/8"],
  ["opened_at>=2026-03-01T08:30", "opened_at>=2026-03-01T08:30"],
  ["title:it's", "title:it's"],
  ["a.b-c:d", "a.b-c:d"],
  ["../../etc", "[|/../etc]"],
];
for (const [query, tree] of understood) {
  it(`${JSON.stringify(query)} is ${tree}`, () => assert.equal(shown(parse(query)), tree));
}

const refused: [query: string, from: number, to: number, what: RegExp][] = [
  ["(a", 0, 1, /not closed/],
  ["a)", 1, 2, /nothing is open/],
  ["()", 1, 2, /missing here/],
  ["a OR", 4, 4, /missing here; add a term/],
  ["OR a", 0, 2, /missing here; OR stands between/],
  ["a AND OR b", 6, 8, /missing here/],
  ["a -", 3, 3, /missing here/],
  ['a "b', 2, 4, /quotation has no end/],
  ["node:/x", 5, 7, /expression has no end/],
  ["node: web", 0, 5, /node: has no value/],
  ["a node:", 2, 7, /node: has no value/],
  ["bytes>=(1 OR 2)", 0, 7, /bytes>= has no value/],
  ["node:(a ip:b)", 8, 11, /holds no other field/],
  [`${"(".repeat(33)}a`, 32, 33, /more than 32 levels/],
  [`${"-".repeat(33)}a`, 32, 33, /more than 32 levels/],
  ["a ".repeat(129), 256, 257, /more than 128 terms/],
  ["a".repeat(4_097), 4_096, 4_097, /at most 4096 characters/],
  [`a:/${"x".repeat(513)}/`, 2, 517, /at most 512 characters/],
];
describe("a wrong query is explained at its place", () => {
  for (const [query, from, to, what] of refused) {
    it(query.slice(0, 40), () => {
      assert.throws(
        () => parse(query),
        (error) => {
          assert.ok(error instanceof QueryError, String(error));
          assert.match(error.message, what);
          assert.deepEqual([error.from, error.to], [from, to]);
          return true;
        },
      );
    });
  }

  it("with a mark below it, as wide as it is shown", () => {
    const rows: [query: string, from: number, to: number, shown: string, mark: string][] = [
      ["a\nb  foo:1", 5, 8, "a b  foo:1", "     ^^^"],
      ["“a” 😀 xyz:1", 7, 10, "“a” 😀 xyz:1", "       ^^^"],
      ["日本 x", 3, 4, "日本 x", "     ^"],
      ["a\u202e b", 3, 4, "a‹U+202E› b", "          ^"],
      ["a", 1, 1, "a", " ^"],
    ];
    for (const [query, from, to, shownQuery, mark] of rows) {
      const error = new QueryError("no such field", { from, to }, "write a");
      assert.deepEqual(explain(query, error), [shownQuery, mark, "no such field; write a"]);
    }
  });
});
