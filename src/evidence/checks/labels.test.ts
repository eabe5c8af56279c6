import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { again, instead, missingHalf } from "../../../test/simulate/missing-half.ts";
import { SimEvidence } from "../../../test/simulate/sim-evidence.ts";
import { SimNode } from "../../../test/simulate/sim-node.ts";
import { evidenceText } from "../file.ts";
import { openPiece } from "../piece.ts";
import { verifyEvidence } from "../verify.ts";
import type { Check } from "./check.ts";

function check(sim: SimEvidence): Check[] {
  return verifyEvidence(evidenceText(sim.data()));
}

describe("a piece twice, or under another name", () => {
  const cases: [what: string, change: (sim: SimEvidence) => void, says: RegExp][] = [
    ["a batch of the server twice", again("server", 1, "batch"), /batch 1 .* is there twice/],
    ["its header beside it", again("server", 1, "header"), /batch 1 .* is there twice/],
    ["the same as kept", again("server", 1, "kept"), /the server refuses none of its own|twice/],
    ["a batch of the server as kept", instead("server", 1, "kept"), /refuses none of its own/],
    ["a batch of a node twice", again("a", 1, "batch"), /batch 1 .* is there twice/],
    ["the same as kept", again("a", 1, "kept"), /batch 1 .* is there twice/],
    ["a batch of a node as kept", instead("a", 1, "kept"), /the finding is about no fork/],
    [
      "another batch of the server with its number",
      (sim) => {
        const twin = new SimNode("server");
        twin.rewind({ ...sim.server.place(), batchNo: 1 });
        sim.pieces.push(openPiece("batch", twin.next().frame));
      },
      /the server's batch 1 of epoch 0 is there twice/,
    ],
  ];
  for (const [what, change, says] of cases) {
    test(what, () => {
      const checks = check(missingHalf({ change }));
      const failing = checks.filter(({ outcome }) => outcome === "fails");
      assert.match(failing.map(({ detail }) => detail).join("; "), says);
    });
  }

  test("an accepted batch that is called the second one of a fork", () => {
    const sim = new SimEvidence();
    sim.enrol(sim.a);
    for (let n = 0; n < 3; n++) sim.batch(sim.a);
    sim.conclude({ finding: "fork", node: sim.a.id, evidence: {} });
    instead("a", 1, "kept")(sim);
    const pieces = check(sim).find(({ subject }) => subject === "pieces");
    assert.match(pieces?.detail ?? "", /: kept, and the next one names it$/);
  });
});
