import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_NETWORK, isNetworkName } from "./network-name.ts";

test("a network name begins with a letter and has no trap for a reader's map", () => {
  const cases: readonly (readonly [name: string, expected: boolean])[] = [
    [DEFAULT_NETWORK, true],
    ["a", true],
    ["Office", true],
    ["lab-2.eu_west", true],
    ["constructor", true],
    ["n".repeat(63), true],
    ["n".repeat(64), false],
    ["", false],
    ["10", false],
    ["2nd", false],
    ["__proto__", false],
    ["-a", false],
    ["a-", false],
    ["a.", false],
    ["a b", false],
    ["a\n", false],
    ["a\u0000", false],
    ['a"', false],
    ["é", false],
    ["n".repeat(1_000_000), false],
  ];
  for (const [name, expected] of cases) {
    assert.equal(isNetworkName(name), expected, JSON.stringify(name.slice(0, 40)));
  }
});
