import assert from "node:assert/strict";
import { it } from "node:test";
import { checkUserName, freeUserName } from "./user-name.ts";

const cases: [called: string[], taken: string[], name: string][] = [
  [["ada"], [], "ada"],
  [["ada"], ["ada"], "ada-2"],
  [["ada"], ["ada", "ada-2"], "ada-3"],
  [["", "ada@example.org"], [], "ada@example.org"],
  [["Ada Lovelace"], [], "Ada-Lovelace"],
  [["<script>alert(1)</script>"], [], "script-alert-1-script-"],
  [["\u202Eada"], [], "ada"],
  [["..", "-+"], [], "somebody"],
  [["a".repeat(300)], ["a".repeat(63)], `${"a".repeat(61)}-2`],
  [["日本"], ["somebody"], "somebody-2"],
];
for (const [called, taken, name] of cases) {
  it(`makes ${name.slice(0, 30)} of ${JSON.stringify(called).slice(0, 40)}`, () => {
    const free = freeUserName(called, (each) => taken.includes(each));
    assert.equal(free, name);
    assert.doesNotThrow(() => checkUserName(free));
  });
}
