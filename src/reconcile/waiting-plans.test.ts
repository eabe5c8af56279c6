import assert from "node:assert/strict";
import { it } from "node:test";
import { SimMesh } from "../../test/simulate/sim-mesh.ts";

const WAITING = 1_000;

it("halves that are judged again and again, as something about their node changes at each tick, leave no plans behind", () => {
  const mesh = new SimMesh();
  const [from, to] = [mesh.host("from"), mesh.host("to")];
  mesh.pass(30_000);
  to.up = false;
  for (let at = 0; at < WAITING; at++) mesh.connect({ from, to });
  mesh.pass(5_000);
  const before = mesh.reconcile.planCount;
  const stream = mesh.reconcile.streamFor(from.id);
  for (let tick = 0; tick < 120; tick++) {
    stream.turned = true;
    mesh.pass(500);
  }
  assert.ok(before >= WAITING);
  assert.ok(mesh.reconcile.planCount <= 4 * before, `${mesh.reconcile.planCount} of ${before}`);
});
