import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ATTACKS } from "./attacks/registry.ts";
import { KIND } from "./finding-names.ts";
import { runLab } from "./lab.ts";
import { Mesh } from "./mesh/mesh.ts";
import { Weather } from "./mesh/weather.ts";
import { SHORT } from "./options.ts";
import { reportOf } from "./report.ts";
import { scoreOf } from "./score.ts";

/**
 * What the comparison does not do yet; whoever teaches it takes the line away. Nothing else may fail.
 */
const BEYOND = {
  /** Concluded without a cause: about routers, tuples used again, crossed opens, late halves, heavy loss. */
  kindsWithoutCause: [KIND.missing, KIND.differs] as readonly string[],
  /** Not found, or later than a minute after it could be known. */
  classes: ["delete-responder-half", "back-date", "abuse-gap"] as readonly string[],
};

test("a short run: honest nodes are accused of nothing, deeds are found in time", async () => {
  const outcome = await runLab(SHORT);
  const score = scoreOf(outcome, ATTACKS);
  const told = reportOf(outcome, score, ATTACKS);
  assert.ok(outcome.connections >= SHORT.connections, told);
  assert.deepEqual(outcome.honestRefusals, {}, told);
  assert.deepEqual(score.accusedHonest, [], told);
  const unexplained = score.withoutCause.filter(
    ({ kind }) => !BEYOND.kindsWithoutCause.includes(kind),
  );
  assert.deepEqual(unexplained, [], told);
  const failed = score.classes.filter(
    (one) => one.isAttack && !one.isHidden && one.inTime < one.injected - one.undecided,
  );
  const worse = failed.filter(({ name }) => !BEYOND.classes.includes(name));
  assert.deepEqual(worse, [], told);
  const made = ATTACKS.filter(({ begin }) => begin !== undefined).map(({ name }) => name);
  const injected = score.classes.filter((one) => one.isAttack).map(({ name }) => name);
  assert.deepEqual(injected.toSorted(), made.toSorted(), told);
});

/** Of all frames and their times. */
function digestOf(seed: number): string {
  const options = { ...SHORT, seed, nodes: 40, connections: 2_000, trafficMs: 120_000 };
  const mesh = new Mesh(options);
  new Weather(mesh, mesh.dice.fork()).plan(mesh.topology.places, { fromMs: 20_000, toMs: 90_000 });
  const hash = createHash("sha256");
  mesh.run((endMs, arrivals) => {
    hash.update(String(endMs));
    for (const { atMs, frame } of arrivals) hash.update(`${atMs} `).update(frame);
  });
  return hash.digest("hex");
}

test("the same seed makes the same batches at the same times, another seed does not", () => {
  const digest = digestOf(5);
  assert.equal(digestOf(5), digest);
  assert.notEqual(digestOf(6), digest);
});
