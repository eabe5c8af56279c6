/** What the scripts answer to options: help, or one line; nothing is started. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { it } from "node:test";

const answers: [script: string, words: string, code: number, out: RegExp, err: RegExp][] = [
  ["test/chaos/main.ts", "--help", 0, /^Usage: npm run chaos .*\n[^]* --attacks A,B /m, /^$/],
  ["test/chaos/main.ts", "--nodez 5", 2, /^$/, /^chaos: Unknown option '--nodez'; .* --help .*\n$/],
  ["test/chaos/main.ts", "more", 2, /^$/, /^chaos: Unexpected argument 'more'.*\n$/],
  ["test/chaos/main.ts", "--nodes 0", 2, /^$/, /^chaos: --nodes is 0, expected .*\n$/],
  [
    "test/chaos/main.ts",
    "--nodes 60 --connections 20000",
    2,
    /^$/,
    /^chaos: 60 nodes are too few for so many attackers; give more --nodes, .*\n$/,
  ],
  ["demo/main.ts", "-h", 0, /^Usage: npm run demo /m, /^$/],
  ["demo/main.ts", "--jsn", 2, /^$/, /^demo: Unknown option '--jsn'; .*\n$/],
];
for (const [script, words, code, out, err] of answers) {
  it(`${script} ${words}`, () => {
    const file = fileURLToPath(new URL(`../../${script}`, import.meta.url));
    const ended = spawnSync(process.execPath, [file, ...words.split(" ")], { encoding: "utf8" });
    assert.match(ended.stdout, out);
    assert.match(ended.stderr, err);
    assert.equal(ended.status, code);
  });
}
