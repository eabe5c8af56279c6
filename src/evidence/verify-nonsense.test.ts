/** Evidence that a server signed and that makes no sense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimEvidence, TUPLE } from "../../test/simulate/sim-evidence.ts";
import { evidenceText } from "./file.ts";
import { verifyEvidence } from "./verify.ts";

test("a server that writes nonsense into a finding is answered, not crashed by", () => {
  const kinds =
    "accused missing-half counters-differ gap-abuse back-dated silent fork lost-spool undeclared-hole rollback opted-out contested-address replayed revoked_key_used forged constructor __proto__".split(
      " ",
    );
  const values = [
    null,
    0,
    -1,
    1e300,
    "x",
    "constructor",
    [],
    [null],
    [[]],
    {},
    { node: null },
    true,
  ];
  const names =
    "recorded halves missing difference causes todo nodes witnesses samples unexplained network address seqs journalIndex seq epoch first last lastReceivedMs openedMs claimedMs atMs counters".split(
      " ",
    );
  for (const finding of kinds) {
    for (const value of values) {
      const sim = new SimEvidence();
      sim.enrol(sim.a);
      sim.batch(sim.a, [
        { kind: "addresses", atMs: sim.a.atMs, networks: { default: ["10.0.0.1"] } },
        {
          kind: "gap",
          atMs: sim.a.atMs,
          cause: "lost",
          count: 1,
          fromMs: 1,
          toMs: 2,
          seqs: [0, 0],
        },
      ]);
      const half = { ...sim.claim(sim.a, "initiator", 0), tuple: value, counters: value };
      const evidence = {
        ...Object.fromEntries(names.map((name) => [name, value])),
        ...(value === "x"
          ? { epoch: 0, first: 2, last: 4, unexplained: [null, [1], "x", [2, 4]] }
          : {}),
        ...(value === "constructor" ? { nodes: [sim.a.id] } : {}),
        ...(value === true ? { recorded: half, halves: [half, { ...half, tuple: TUPLE }] } : {}),
      };
      sim.conclude({ finding, node: sim.a.id, evidence });
      const checks = verifyEvidence(evidenceText(sim.data()));
      assert.ok(
        checks.length > 3,
        `${finding} ${JSON.stringify(value)}: ${JSON.stringify(checks)}`,
      );
    }
  }
});
