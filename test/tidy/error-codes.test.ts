import assert from "node:assert/strict";
import { test } from "node:test";
import { codeDifferences, codesInManual, codesInSource } from "./error-codes.ts";
import { fileAt, filesMatching } from "./source-tree.ts";

test("every error code has a row in docs/errors.md, and every row a code", () => {
  const source = codesInSource(filesMatching("src/**/*.{ts,tsx}"));
  assert.ok(source.length > 0);
  assert.deepEqual(codeDifferences(source, codesInManual(fileAt("docs/errors.md"))), []);
});

test("a planted code without a row, a row without a code, and a double row are found", () => {
  const source = codesInSource([
    {
      path: "src/a.ts",
      text: `/** "not_this" */\nexport type AErrorCode =\n  | "one" // "nor_this"\n  | "two";\ntype Other = "x";`,
    },
    { path: "src/b.ts", text: `export type BErrorCode = 'three' | AErrorCode;` },
  ]);
  assert.deepEqual(
    source.map(({ code }) => code),
    ["one", "two", "three"],
  );
  const manual = codesInManual({
    path: "docs/errors.md",
    text: "| code | where |\n|---|---|\n| `one` | x |\n| `one` | y |\n| `four` | see `two` |\n",
  });
  assert.deepEqual(codeDifferences(source, manual), [
    "two (src/a.ts AErrorCode) has no row in docs/errors.md",
    "three (src/b.ts BErrorCode) has no row in docs/errors.md",
    "four in docs/errors.md is raised nowhere",
    "one has two rows",
  ]);
});

test("codes are read from tables and from what a class adds", () => {
  const text = [
    "const table = {",
    '  first: "told",',
    '  second: { nested: "x" },',
    "} as const;",
    "export type TableErrorCode = keyof typeof table;",
    "export class TableError extends Error {",
    '  readonly code: TableErrorCode | "third" | Other["code"];',
    "}",
  ].join("\n");
  const codes = codesInSource([{ path: "src/a.ts", text }]).map(({ code }) => code);
  assert.deepEqual(codes, ["first", "second", "third"]);
});
