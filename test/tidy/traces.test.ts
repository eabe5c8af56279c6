import assert from "node:assert/strict";
import { test } from "node:test";
import { filesMatching } from "./source-tree.ts";
import { machinePaths } from "./traces.ts";

const tracked = filesMatching(
  "*.{json,md,ts}",
  ".ci/run",
  ".*.json",
  "{src,bin,demo,bench,scripts,test,docs}/**/*.{ts,tsx,md,json,css,html,sql,sh}",
);

test("no file names a path of one machine", () => {
  assert.ok(tracked.length > 0);
  assert.deepEqual(tracked.flatMap(machinePaths), []);
});

test("planted paths are found, and only those", () => {
  const folder = ["work", "main"].join("/");
  const home = ["root", ".ssh"].join("/");
  const cases: [text: string, isBad: boolean][] = [
    [`cd /${folder}`, true],
    [`"/${home}/id"`, true],
    [`https://example.com/${folder}`, false],
    [`./${folder}`, false],
    [`notes/${folder}`, false],
    ["/workshop/", false],
  ];
  for (const [text, isBad] of cases) {
    assert.equal(machinePaths({ path: "a.md", text }).length > 0, isBad, text);
  }
});
