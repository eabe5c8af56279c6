import assert from "node:assert/strict";
import { it } from "node:test";
import { halfKeyOf } from "./half-key.ts";

const KEY = { node: "aa", epoch: 0, seq: 7, openedMs: 1_800_000_000_000 };
const half = (id: string, more: object = {}) => ({ half: id, ...KEY, state: "SF", ...more });

const cases: [name: string, connection: string, evidence: object, expected: object | undefined][] =
  [
    ["of a half that stands alone", "c1", { recorded: half("c1"), causes: ["x"] }, KEY],
    [
      "of the one of two that names it",
      "c1",
      { halves: [half("c2", { seq: 8 }), half("c1")] },
      KEY,
    ],
    ["of no connection", "", { recorded: half("") }, undefined],
    ["that the evidence does not describe", "c9", { halves: [half("c1"), null, 3] }, undefined],
    ["without its place", "c1", { recorded: half("c1", { seq: "first" }) }, undefined],
    ["without a time", "c1", { recorded: { half: "c1", node: "aa", epoch: 0, seq: 7 } }, undefined],
  ];
for (const [name, connection, evidence, expected] of cases) {
  it(`the key ${name}`, () => {
    assert.deepEqual(halfKeyOf(connection, JSON.stringify(evidence)), expected);
  });
}
