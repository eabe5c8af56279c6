import assert from "node:assert/strict";
import { test } from "node:test";
import { painter } from "./colour.ts";
import { cuttable, formatTable, wrappable } from "./table.ts";

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

const ID = "3d88b8124792aa00ffee3d88b8124792";

test("on a narrow terminal a title is cut, and what may not be cut is whole", () => {
  const rows = [["ab", "x".repeat(40), "2026-11-28 10:00:00Z"]];
  const lines = formatTable(["id", cuttable("title"), "time"], rows, { columnsMax: 44 });
  assert.equal(
    lines,
    `ID  TITLE               TIME\nab  ${"x".repeat(17)}…  2026-11-28 10:00:00Z\n`,
  );
});

test("what does not fit on one line goes on below, in every row and in the headline", () => {
  const rows = [
    ["2026-11-28 10:00:00Z", "open", "a title that is long enough to be cut somewhere", ID],
    ["2026-11-28 10:00:01Z", "resolved", "short", ID],
  ];
  const lines = formatTable(["time", "state", cuttable("title", 24), "id"], rows, {
    columnsMax: 60,
  });
  assert.equal(
    lines,
    [
      "TIME                  STATE     TITLE",
      "  ID",
      "2026-11-28 10:00:00Z  open      a title that is long enough…",
      `  ${ID}`,
      "2026-11-28 10:00:01Z  resolved  short",
      `  ${ID}`,
      "",
    ].join("\n"),
  );
});

test("an id is whole on a terminal that is too narrow for anything", () => {
  const lines = formatTable(["one", "id"], [["abcdefgh", ID]], { columnsMax: 3 });
  assert.equal(lines, `ONE\n  ID\nabcdefgh\n  ${ID}\n`);
});

test("text is wrapped between words, below its heading", () => {
  const rows = [
    ["both ends", "98.2 % of 1200 connections; one end only: 12 external"],
    ["disk", "1 GiB"],
  ];
  assert.equal(
    formatTable(["what", wrappable("value")], rows, { columnsMax: 40 }),
    [
      "WHAT       VALUE",
      "both ends  98.2 % of 1200 connections;",
      "           one end only: 12 external",
      "disk       1 GiB",
      "",
    ].join("\n"),
  );
});

test("a word that is longer than the last column sticks out, and moves nothing", () => {
  const style = { columnsMax: 30 };
  const last = formatTable(["what", wrappable("value")], [["key", ID]], style);
  assert.equal(last, `WHAT  VALUE\nkey   ${ID}\n`);
  const first = formatTable([wrappable("value"), "what"], [[ID, "key"]], style);
  assert.equal(first, `VALUE\n  WHAT\n${ID}\n  key\n`);
});

test("a name is cut, and the address after it is not", () => {
  const rows = [[{ text: "a-machine-with-a-long-name", tail: "10.0.0.2:5432" }]];
  assert.equal(
    formatTable([cuttable("from")], rows, { columnsMax: 26 }),
    "FROM\na-machine-w… 10.0.0.2:5432\n",
  );
  assert.equal(
    formatTable([cuttable("from")], rows),
    `FROM\n${rows[0]?.[0]?.text} 10.0.0.2:5432\n`,
  );
});

test("rows that go on below others have no headline", () => {
  assert.equal(formatTable(["a", "b"], [["x", "y"]], { isContinued: true }), "x  y\n");
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
