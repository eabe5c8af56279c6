import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimHost } from "../../test/simulate/sim-mesh.ts";
import { SeededRandom } from "../std/seeded-random.ts";

/**
 * A node with five peers has a connection each second, some of which it loses and declares; returns
 * how many it had lost when what it declares excused nothing any more, or all of them.
 */
function lose(
  seconds: number,
  isLost: (peer: number, random: SeededRandom) => boolean,
  declare: (mesh: SimMesh, node: SimHost) => void = declareGap,
): { mesh: SimMesh; lost: number } {
  const mesh = new SimMesh();
  const node = mesh.host("node");
  const peers: SimHost[] = Array.from({ length: 5 }, (_, at) => mesh.host(`peer-${at}`));
  const random = new SeededRandom(1);
  // As kernels do, they tell the final counters minutes later; here not at all.
  for (const peer of peers) peer.lie = (entry) => (entry.kind === "account" ? undefined : entry);
  mesh.pass(30_000);
  let lost = 0;
  for (let second = 0; second < seconds; second++) {
    const at = random.below(peers.length);
    const to = peers[at];
    if (to === undefined) throw new RangeError("no such peer");
    if (isLost(at, random)) {
      lost++;
      node.lie = () => undefined;
    }
    mesh.connect({ from: to, to: node });
    if (node.lie !== undefined) declare(mesh, node);
    node.lie = undefined;
    mesh.pass(500);
    setClock(node, 0);
    mesh.pass(500);
    if (mesh.open.includes("gap-abuse node")) break;
  }
  return { mesh, lost };
}

function declareGap(mesh: SimMesh, node: SimHost): void {
  const toMs = mesh.nowMs;
  node.emit({ kind: "gap", atMs: toMs, cause: "overflow", count: 1, fromMs: toMs - 1, toMs });
}

function declareStop(mesh: SimMesh, node: SimHost): void {
  node.emit({ kind: "stop", atMs: mesh.nowMs, reason: "none" });
  node.emit({ kind: "start", atMs: mesh.nowMs + 1, facts: {} });
}

/** For half a second. */
function setClock(node: SimHost, offsetMs: number): void {
  node.offsetMs = offsetMs;
  node.bootAtMs = 1_700_000_000_000 + offsetMs;
}

describe("losses that a node declares", () => {
  it("are found out when they are again and again of one peer, and excuse nothing with it any more", () => {
    const { mesh, lost } = lose(400, (peer) => peer === 0);
    assert.ok(lost >= 8 && lost <= 80, `${lost} lost`);
    assert.deepEqual(mesh.open, ["gap-abuse node"]);
  });

  it("are found out when it stops for a moment, or sets its clock, each time", () => {
    const ways = [declareStop, (_: SimMesh, node: SimHost) => setClock(node, 1_500)];
    for (const declare of ways) {
      const { mesh, lost } = lose(400, (peer) => peer === 0, declare);
      assert.ok(lost >= 8 && lost <= 80, `${lost} lost`);
      assert.ok(mesh.open.includes("gap-abuse node"));
    }
  });

  it("are excused when they are of anybody", () => {
    const { mesh, lost } = lose(400, (_, random) => random.chance(0.2));
    assert.ok(lost > 60, `${lost} lost`);
    assert.deepEqual(mesh.open, []);
  });
});
