import assert from "node:assert/strict";
import { it } from "node:test";
import { HOLD_MS } from "./accuse.ts";
import type { MismatchMemory } from "./mismatch-memory.ts";
import { Mismatches } from "./mismatches.ts";
import { NodeStream } from "./node-stream.ts";

/** A run of the comparison; `told` gets what it concludes. */
function run(
  memory: MismatchMemory,
  told: string[],
  pairs: readonly (readonly [string, string])[],
) {
  const mismatches = new Mismatches(
    {
      nodeOf: (id) => new NodeStream(id, id, 0),
      conclude: (about, state = "open") => told.push(`${about.kind} ${about.subject} ${state}`),
    },
    memory,
  );
  for (const nodes of pairs) {
    mismatches.restore({ id: nodes.join(), kind: "missing-half", nodes, atMs: 0 });
  }
  return mismatches;
}

it("an accusation outlives a restart, and ends after it when it does not follow any more", () => {
  const memory: MismatchMemory = { folds: {}, lying: {}, accused: {} };
  const told: string[] = [];
  const both = [
    ["x", "a"],
    ["x", "b"],
  ] as const;
  const first = run(memory, told, both);
  first.review(0);
  assert.deepEqual(told, []);
  first.review(HOLD_MS);
  assert.deepEqual(told.splice(0), ["accused x open"]);
  const resumed = JSON.parse(JSON.stringify(memory)) as MismatchMemory;
  run(resumed, told, both).review(HOLD_MS + 1);
  assert.deepEqual(told.splice(0), ["accused x open"]);
  const excused = JSON.parse(JSON.stringify(resumed)) as MismatchMemory;
  run(excused, told, [["x", "a"]]).review(HOLD_MS + 2);
  assert.deepEqual(told, ["accused x resolved"]);
  assert.deepEqual([excused.lying, excused.accused], [{}, {}]);
});
