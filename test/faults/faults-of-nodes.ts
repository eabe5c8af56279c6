/** What becomes of nodes, their numbers, addresses and clocks. */
import { FLAG } from "../../src/format/batch.ts";
import type { RollbackEntry } from "../../src/format/entry.ts";
import { alone, type FaultClass } from "./fault-class.ts";
import type { HttpNode } from "./http-node.ts";
import type { World } from "./world.ts";

const CLOCK_SET_MS = 5_000;

const ROLLBACK = ["oldEpoch", "oldBatch", "oldHead", "machineId", "bootId", "journalIndex", "todo"];
const GAP = ["cause", "count", "fromMs", "toMs", "seqs", "journalIndex", "seq", "todo"];

/** The first batch of a new epoch, as an agent sends it that found its chain at odds. */
async function beginEpoch(
  world: World,
  node: HttpNode,
  cause: RollbackEntry["cause"],
): Promise<void> {
  const { sim } = node;
  const oldHead = sim.head.toString("hex");
  const old = { oldEpoch: sim.epoch, oldBatch: sim.batchNo - 1, oldHead };
  sim.epoch++;
  sim.batchNo = 0;
  node.hand({ kind: "rollback", atMs: world.nowMs, cause, ...old, machineId: "m", bootId: "b" });
  await world.deliver(node, { flags: FLAG.epochStart });
}

export const FAULTS_OF_NODES: readonly FaultClass[] = [
  alone(
    { fault: "spool lost", kind: "lost-spool", severity: "high", node: "loses" },
    { evidence: GAP },
    (world, node) => {
      const atMs = world.nowMs;
      node.sim.nextSeq += 5;
      const seqs = [node.sim.nextSeq - 5, node.sim.nextSeq - 1] as const;
      node.hand({
        kind: "gap",
        atMs,
        cause: "lost",
        count: null,
        fromMs: atMs - 500,
        toMs: atMs,
        seqs,
      });
    },
  ),
  alone(
    { fault: "node falls silent", kind: "silent", severity: "low", node: "silent" },
    { evidence: ["lastReceivedMs", "completeToMs", "todo"] },
    (world, node) => world.quieten(node),
  ),
  alone(
    {
      fault: "numbers skipped without a word",
      kind: "undeclared-hole",
      severity: "high",
      node: "skips",
    },
    { evidence: ["epoch", "first", "last", "index", "seenMs", "todo"] },
    (_world, node) => void (node.sim.nextSeq += 3),
  ),
  alone(
    {
      fault: "state restored from a snapshot",
      kind: "rollback",
      severity: "low",
      node: "restored",
    },
    { evidence: ROLLBACK },
    (world, node) => beginEpoch(world, node, "state"),
  ),
  alone(
    { fault: "disk cloned to another machine", kind: "clone", severity: "medium", node: "cloned" },
    { evidence: ROLLBACK },
    (world, node) => beginEpoch(world, node, "clone"),
  ),
  alone(
    {
      fault: "the server lost what it had signed for",
      kind: "server-rollback",
      severity: "critical",
      node: "holds-receipts",
    },
    { evidence: ROLLBACK },
    (world, node) => beginEpoch(world, node, "server"),
  ),
  alone(
    { fault: "node opts out", kind: "opted-out", severity: "low", node: "refuses" },
    { evidence: ["atMs", "todo"] },
    async (world, node) => {
      node.hand({ kind: "opt_out", atMs: world.nowMs, origin: "flag" });
      await world.deliver(node, { flags: FLAG.optOut });
      world.quieten(node);
    },
  ),
  alone(
    {
      fault: "agent killed and away for a minute",
      kind: "long-restart",
      severity: "low",
      node: "restarts",
    },
    { evidence: GAP },
    async (world, node) => {
      const fromMs = world.nowMs;
      // What it had said to be complete would need no excuse.
      world.quieten(node);
      await world.pass(60_000);
      world.wake(node);
      const toMs = world.nowMs;
      node.hand({ kind: "gap", atMs: toMs, cause: "restart", count: null, fromMs, toMs });
    },
  ),
  {
    fault: "two nodes claim one address",
    kind: "contested-address",
    severity: "medium",
    node: "",
    evidence: ["network", "address", "nodes", "todo"],
    async prepare(world) {
      const first = await world.node("claims-first");
      const second = await world.node("claims-too");
      return (faulty) => (faulty ? world.claim(second, [second.ip, first.ip]) : undefined);
    },
  },
  alone(
    { fault: "clock set", kind: "clock-step", severity: "low", node: "sets-clock" },
    {
      evidence: ["fromMs", "toMs", "byMs", "todo"],
      says: ({ byMs }) => byMs === CLOCK_SET_MS,
    },
    (world, node) => world.setClock(node, CLOCK_SET_MS),
  ),
];
