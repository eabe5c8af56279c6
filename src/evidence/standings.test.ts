import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { missingHalf } from "../../test/simulate/missing-half.ts";
import type { SimEvidence } from "../../test/simulate/sim-evidence.ts";
import { evidenceText } from "./file.ts";
import { isSound, verifyEvidence } from "./verify.ts";

describe("what people decided about a finding", () => {
  const cases: [what: string, decide: (sim: SimEvidence) => void, state: string][] = [
    ["nothing", () => undefined, "open"],
    ["excused", (sim) => sim.rule("known"), "excused until 2027-04-15 07:55:00.000Z"],
    [
      "excused for an hour",
      (sim) => sim.rule("known", { expiresAtMs: sim.server.atMs + 3_600_000 }),
      "excused until 2027-01-15 08:55:00.000Z",
    ],
    ["acknowledged", (sim) => sim.rule("mine", { ruling: "acknowledged" }), "acknowledged"],
    [
      "taken back",
      (sim) => {
        sim.rule("known");
        sim.rule("not so", { ruling: "reopened" });
      },
      "open",
    ],
    [
      "over",
      (sim) => {
        sim.rule("known", { expiresAtMs: sim.server.atMs + 1_000 });
        sim.pass(1_000);
      },
      "open",
    ],
    ["about another one", (sim) => sim.rule("known", { finding: "11".repeat(16) }), "open"],
    [
      "left out of the file",
      (sim) => {
        sim.rule("known");
        sim.pieces.pop();
      },
      "open",
    ],
  ];
  for (const [what, decide, state] of cases) {
    test(`${what}: the state is ${state}`, () => {
      const sim = missingHalf({ change: decide });
      const text = evidenceText(sim.data());
      assert.match(text, new RegExp(`^ {2}state +${state}$`, "m"));
      const checks = verifyEvidence(text);
      assert.ok(isSound(checks), JSON.stringify(checks, undefined, 1));
      const finding = checks.find(({ subject }) => subject === "finding");
      assert.match(finding?.detail ?? "", new RegExp(`^missing-half, ${state.split(" ")[0]}: `));
      const decisions = checks.find(({ subject }) => subject === "decisions");
      assert.equal(decisions?.outcome, "open");
    });
  }
});
