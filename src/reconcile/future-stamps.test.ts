/** Times that have not come: nobody waits for them, so what is stamped so takes no memory for long. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { SimMesh } from "../../test/simulate/sim-mesh.ts";
import { AHEAD_MS_MAX } from "./limits.ts";

const DAY_MS = 86_400_000;
const YEARS_MS = 10 * 365 * DAY_MS;
const COUNTERS = {
  initiatorPackets: 5,
  initiatorBytes: 500,
  responderPackets: 5,
  responderBytes: 500,
};

it("halves and ends that are stamped years ahead are decided an hour later", () => {
  const mesh = new SimMesh();
  const [from, to] = [mesh.host("from"), mesh.host("to")];
  mesh.pass(30_000);
  const tuple = { protocol: 6, initiatorIp: from.ip, responderIp: to.ip, responderPort: 443 };
  const open = (initiatorPort: number, atMs: number): number =>
    from.emit({
      kind: "open",
      atMs,
      role: "initiator",
      tuple: { ...tuple, initiatorPort },
      pickup: false,
    });
  const close = (openSeq: number, atMs: number, ageMs: number): void => {
    const ended = { atMs, openSeq, ageMs, state: "SF", assured: true, inferred: true } as const;
    from.emit({ kind: "close", ...ended, counters: COUNTERS });
  };
  const { nowMs } = mesh;
  close(open(50_000, nowMs + YEARS_MS), nowMs + YEARS_MS + 40, 40);
  close(open(50_001, nowMs), nowMs + YEARS_MS, YEARS_MS);
  mesh.pass(5_000);
  assert.equal(mesh.reconcile.liveCount, 2);
  mesh.pass(AHEAD_MS_MAX + 600_000);
  assert.equal(mesh.reconcile.liveCount, 0);
  assert.deepEqual(mesh.open, ["missing-half to", "missing-half to"]);
});

it("what nodes record by clocks that are a day ahead is compared by those clocks", () => {
  const mesh = new SimMesh();
  const [from, to] = [mesh.host("from", DAY_MS), mesh.host("to", DAY_MS + 300)];
  const first = mesh.connect({ from, to });
  // One clock is learnt at a tick before the other end is heard of.
  to.up = false;
  mesh.pass(500);
  to.up = true;
  mesh.pass(60_000);
  const later = mesh.connect({ from, to });
  mesh.pass(300_000);
  assert.deepEqual(mesh.open, []);
  for (const port of [first, later]) assert.equal(mesh.verdict(port), "matched final");
});
