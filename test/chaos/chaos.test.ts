import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ATTACKS } from "./attacks/registry.ts";
import { runLab } from "./lab.ts";
import { Mesh } from "./mesh/mesh.ts";
import { Weather } from "./mesh/weather.ts";
import { SHORT } from "./options.ts";
import { reportOf } from "./report.ts";
import { scoreOf } from "./score.ts";

test("a short run: no honest node is accused, each finding has a cause, deeds are found in time", async () => {
  const outcome = await runLab(SHORT);
  const score = scoreOf(outcome, ATTACKS);
  const told = reportOf(outcome, score, ATTACKS);
  assert.deepEqual(score.failures, [], told);
  assert.ok(outcome.connections >= SHORT.connections, told);
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
