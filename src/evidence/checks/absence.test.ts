import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { instead } from "../../../test/simulate/missing-half.ts";
import { OPENED_MS, SimEvidence } from "../../../test/simulate/sim-evidence.ts";
import { evidenceText } from "../file.ts";
import { REACH_MS_MIN } from "../limits.ts";
import { verifyEvidence } from "../verify.ts";
import type { Outcome } from "./check.ts";

describe("how far the whole batches of the other end reach", () => {
  const cases: [beforeMs: number, afterMs: number, outcome: Outcome, says: RegExp][] = [
    [60_000, 60_000, "holds", /it proves the absence if the two clocks differ by less than 60 s/],
    [60_000, REACH_MS_MIN, "holds", /it proves the absence if .* less than 10 s$/],
    [
      60_000,
      REACH_MS_MIN - 1,
      "open",
      /only if .* less than 9\.999 s, and the server allows for 10 s/,
    ],
    [60_000, 3, "open", /that proves the absence only if the two clocks differ by less than 3 ms,/],
    [REACH_MS_MIN, 60_000, "holds", /less than 10 s$/],
    [3, 60_000, "open", /less than 3 ms,/],
  ];
  for (const [beforeMs, afterMs, outcome, says] of cases) {
    test(`${beforeMs} ms before and ${afterMs} ms after: ${outcome}`, () => {
      const sim = new SimEvidence();
      const { a, b } = sim;
      sim.enrol(a);
      sim.enrol(b);
      const claim = sim.claim(a, "initiator", a.nextSeq);
      sim.batch(a, sim.half(a, "initiator"));
      sim.batchAt(b, OPENED_MS - beforeMs - 1);
      sim.batchAt(b, OPENED_MS - beforeMs);
      instead("b", 1, "header")(sim);
      sim.batchAt(b, OPENED_MS + afterMs);
      const missing = { node: b.id, name: "b", completeToMs: b.atMs };
      const evidence = { nodes: [a.id, b.id], recorded: claim, missing };
      const connection = String(claim["half"]);
      sim.conclude({ finding: "missing-half", node: b.id, connection, evidence });
      const found = verifyEvidence(evidenceText(sim.data())).find(
        ({ subject }) => subject === "b: no entry",
      );
      assert.ok(found !== undefined);
      assert.equal(found.outcome, outcome, found.detail);
      assert.match(found.detail, says);
    });
  }
});
