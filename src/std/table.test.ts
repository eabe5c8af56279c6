import assert from "node:assert/strict";
import { test } from "node:test";
import { painter } from "./colour.ts";
import { formatTable } from "./table.ts";

test("columns are as wide as their widest cell; numbers stand right", () => {
  const text = formatTable(
    ["node", "bytes"],
    [
      ["web-1", 12],
      ["db", 40_960],
      ["cache", undefined],
    ],
  );
  assert.equal(text, ["NODE   BYTES", "web-1     12", "db     40960", "cache", ""].join("\n"));
});

test("a cell cannot move the cursor, break the line or reorder its neighbours", () => {
  const text = formatTable(["name"], [["a\u001b[1A\nb\u202e"]]);
  assert.equal(text, "NAME\na‹U+001B›[1A‹U+000A›b‹U+202E›\n");
});

test("a table wider than the terminal cuts its widest columns only", () => {
  const lines = formatTable(["id", "title"], [["ab", "x".repeat(40)]], { columnsMax: 20 });
  assert.equal(lines, `ID  TITLE\nab  ${"x".repeat(15)}…\n`);
});

test("a terminal too narrow for anything still gets every column", () => {
  const lines = formatTable(["one", "two"], [["abcdefgh", "abcdefgh"]], { columnsMax: 3 });
  assert.equal(lines, "ONE   TWO\nabc…  abc…\n");
});

test("wide characters align", () => {
  assert.equal(
    formatTable(
      ["a", "b"],
      [
        ["東京", 1],
        ["x", 2],
      ],
    ),
    "A     B\n東京  1\nx     2\n",
  );
});

test("a row without cells and a table without rows are still lines", () => {
  assert.equal(formatTable(["a", "b"], []), "A  B\n");
  assert.equal(formatTable(["a", "b"], [[]]), "A  B\n\n");
});

test("colour is painted around the text and only on a terminal that wants it", () => {
  const row = [{ text: "missing", colour: "red" }] as const;
  const drawn = (isTerminal: boolean, env: NodeJS.ProcessEnv): string =>
    formatTable(["verdict"], [row], { paint: painter(isTerminal, env) });
  const plain = "VERDICT\nmissing\n";
  assert.equal(drawn(false, {}), plain);
  assert.equal(drawn(true, { NO_COLOR: "1" }), plain);
  assert.equal(drawn(true, { TERM: "dumb" }), plain);
  assert.equal(
    drawn(true, { NO_COLOR: "" }),
    "\u001b[2mVERDICT\u001b[22m\n\u001b[31mmissing\u001b[39m\n",
  );
});
