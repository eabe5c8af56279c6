import assert from "node:assert/strict";
import { it } from "node:test";
import type { ControlNode } from "../../control/node-table.ts";
import { checkNodeFilter } from "./node-filter.ts";

function nodes(...names: string[]): ControlNode[] {
  return names.map((name) => ({ name }) as ControlNode);
}

const many = Array.from({ length: 13 }, (_, n) => `n${n}`);
const cases: [name: string | undefined, known: string[], refusal: string | undefined][] = [
  [undefined, [], undefined],
  ["a", ["a", "b"], undefined],
  ["a", [], "unknown node a; none is enrolled yet"],
  ["", ["a"], "unknown node ; known: a"],
  ["c", ["a", "a", "b"], "unknown node c; known: a, b"],
  ["c", many, "unknown node c; known: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 3 more"],
];
for (const [name, known, refusal] of cases) {
  it(`${name} among ${known.length}: ${refusal ?? "allowed"}`, () => {
    const enrolled = nodes(...known);
    if (refusal === undefined) return checkNodeFilter(name, enrolled);
    const expected = { code: "bad_filter", message: refusal };
    assert.throws(() => checkNodeFilter(name, enrolled), expected);
  });
}
