/**
 * Every class of fault, injected once, against the whole server; and the same run without any.
 * `node test/faults/classes.ts` prints which finding each becomes, and exits 1 when one does not.
 */
import { FLAG } from "../../src/format/batch.ts";
import type { RollbackEntry } from "../../src/format/entry.ts";
import { keyIdOf } from "../../src/format/identity.ts";
import { INGEST_LIMITS } from "../../src/ingest/limits.ts";
import { formatTable } from "../../src/std/table.ts";
import { SimNode } from "../simulate/sim-node.ts";
import type { HttpNode } from "./http-node.ts";
import { type FoundFinding, type Talk, World } from "./world.ts";

export interface FaultClass {
  readonly fault: string;
  readonly kind: string;
  readonly severity: string;
  /** Name of the node that the finding concerns; empty for nobody in particular. */
  readonly node: string;
  /** Keys that the finding's evidence has, at least. */
  readonly evidence: readonly string[];
  /** What the evidence must say besides. */
  readonly says?: (evidence: FoundFinding["evidence"]) => boolean;
  /** Makes its nodes; returns what happens next, honestly or not. */
  prepare(world: World): Promise<(faulty: boolean) => Promise<void> | void>;
}

/** Longer than a node may be silent, and than an undeclared hole is waited for. */
const PATIENCE_MS = 120_000;
/** A node's first seconds excuse much. */
const WARM_UP_MS = 20_000;

const PAIR = ["causes", "todo"];
const INCIDENT = ["count", "firstAtMs", "lastAtMs", "samples"];
const ROLLBACK = ["oldEpoch", "oldBatch", "oldHead", "machineId", "bootId", "journalIndex", "todo"];
const GAP = ["cause", "count", "fromMs", "toMs", "seqs", "journalIndex", "seq", "todo"];

type Name = Pick<FaultClass, "fault" | "kind" | "severity" | "node">;

/** A connection between two nodes, recorded honestly unless `fault` changes it. */
function pair(
  name: Name,
  more: Pick<FaultClass, "evidence" | "says">,
  fault: Partial<Talk>,
): FaultClass {
  const [first = "", second = ""] = ["a", "b"].map((end) => `${name.node.slice(0, -1)}${end}`);
  return {
    ...name,
    ...more,
    async prepare(world) {
      const from = await world.node(first);
      const to = await world.node(second);
      return (faulty) => world.talk({ from, to, sentBytes: 1_000_000, ...(faulty ? fault : {}) });
    },
  };
}

/** Something that one node does. */
function alone(
  name: Name,
  more: Pick<FaultClass, "evidence" | "says">,
  act: (world: World, node: HttpNode) => Promise<void> | void,
): FaultClass {
  return {
    ...name,
    ...more,
    async prepare(world) {
      const node = await world.node(name.node === "" ? `bystander-${name.kind}` : name.node);
      return (faulty) => (faulty ? act(world, node) : undefined);
    },
  };
}

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

/** Another batch at the place of the node's next one, signed by the node's own key. */
function twinOf(world: World, { sim }: HttpNode): Buffer {
  const twin = new SimNode(sim.name);
  Object.assign(twin, {
    epoch: sim.epoch,
    batchNo: sim.batchNo,
    nextSeq: sim.nextSeq,
    head: sim.head,
  });
  twin.emit(world.line("another history"));
  return twin.seal(world.nowMs);
}

function forgery(world: World, victim: HttpNode): Buffer {
  const { nodeId, publicKey, batchNo, nextSeq, head } = victim.sim;
  const forger = new SimNode("forger");
  Object.assign(forger, { batchNo, nextSeq, head });
  forger.emit(world.line("not mine"));
  return forger.seal(world.nowMs, { nodeId, keyId: keyIdOf(publicKey) });
}

async function refused(node: HttpNode, frame: Buffer, code: string): Promise<void> {
  const { body } = await node.sendRaw(frame);
  if (body["code"] !== code) throw new Error(`expected ${code}, got ${JSON.stringify(body)}`);
}

const isImpossible = (expected: boolean) => (evidence: FoundFinding["evidence"]) =>
  (evidence["difference"] as { impossible?: unknown }).impossible === expected;

export const FAULT_CLASSES: readonly FaultClass[] = [
  pair(
    {
      fault: "half forgotten by the initiator",
      kind: "missing-half",
      severity: "high",
      node: "forgets-1a",
    },
    { evidence: ["recorded", "missing", ...PAIR] },
    { forgottenBy: "initiator" },
  ),
  pair(
    {
      fault: "half forgotten by the responder",
      kind: "missing-half",
      severity: "high",
      node: "forgets-2b",
    },
    { evidence: ["recorded", "missing", ...PAIR] },
    { forgottenBy: "responder" },
  ),
  {
    ...pair(
      {
        fault: "counters altered: received more than sent",
        kind: "counters-differ",
        severity: "high",
        node: "alters-1a",
      },
      { evidence: ["difference", "halves", ...PAIR], says: isImpossible(true) },
      { sentBytes: 1_000, receivedBytes: 500_000 },
    ),
    node: "",
  },
  {
    ...pair(
      {
        fault: "counters altered: sent far more than received",
        kind: "counters-differ",
        severity: "high",
        node: "alters-2a",
      },
      { evidence: ["difference", "halves", ...PAIR], says: isImpossible(false) },
      { sentBytes: 1_000_000, receivedBytes: 10_000 },
    ),
    node: "",
  },
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
    { fault: "batch replayed", kind: "replayed", severity: "high", node: "replayed" },
    { evidence: INCIDENT },
    async (world, node) => {
      const old = node.lastFrame;
      for (let more = 0; more < 2; more++) await world.deliver(node);
      await refused(node, old, "replayed");
    },
  ),
  alone(
    { fault: "chain forked", kind: "fork", severity: "critical", node: "forked" },
    { evidence: INCIDENT, says: hasKeptFrame },
    async (world, node) => {
      const twin = twinOf(world, node);
      world.say(node);
      await world.deliver(node);
      await refused(node, twin, "fork");
    },
  ),
  alone(
    { fault: "node forged", kind: "forged", severity: "high", node: "victim" },
    { evidence: INCIDENT },
    (world, node) => refused(node, forgery(world, node), "bad_signature"),
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
  {
    fault: "revoked key used on and on",
    kind: "revoked_key_used",
    severity: "high",
    node: "revoked",
    evidence: INCIDENT,
    async prepare(world) {
      const node = await world.node("revoked");
      const attempt = (): Promise<void> => refused(node, twinOf(world, node), "revoked_key");
      return async (faulty) => {
        await world.api.call("POST", `/api/v1/nodes/${node.id}/revoke`);
        world.quieten(node);
        // An honest node learns it by this answer.
        await attempt();
        if (!faulty) return;
        const { revokedTriesMax, revokedGraceMs } = INGEST_LIMITS;
        for (let more = 0; more < revokedTriesMax; more++) {
          await world.pass(Math.ceil(revokedGraceMs / revokedTriesMax) + 1);
          await attempt();
        }
      };
    },
  },
  alone(
    {
      fault: "batches of nodes that nobody enrolled",
      kind: "unknown_node",
      severity: "low",
      node: "",
    },
    { evidence: INCIDENT },
    async (world, node) => {
      const frame = new SimNode("stranger").seal(world.nowMs);
      const each = Array.from({ length: INGEST_LIMITS.unknownNodesFinding }, () => frame);
      while (each.length > 0) {
        await Promise.all(each.splice(0, 50).map((one) => refused(node, one, "unknown_node")));
      }
    },
  ),
];

function hasKeptFrame(evidence: FoundFinding["evidence"]): boolean {
  const [sample] = evidence["samples"] as readonly {
    evidenceIndex?: unknown;
    genuineIndex?: unknown;
  }[];
  return typeof sample?.evidenceIndex === "number" && typeof sample.genuineIndex === "number";
}

/** The findings of one run: all faults, or none. `look` sees the world before it ends. */
export async function runClasses(
  faulty: boolean,
  look: (world: World, found: readonly FoundFinding[]) => Promise<void> = async () => undefined,
): Promise<FoundFinding[]> {
  await using world = await World.open();
  const acts: ((faulty: boolean) => Promise<void> | void)[] = [];
  for (const each of FAULT_CLASSES) acts.push(await each.prepare(world));
  await world.pass(WARM_UP_MS);
  for (const act of acts) await act(faulty);
  await world.pass(PATIENCE_MS);
  const expected = faulty ? FAULT_CLASSES.length : 0;
  const found = await world.findings((some) => some.length >= expected);
  await look(world, found);
  return found;
}

/** The one finding that is this class's, or what is wrong with what was found. */
export function match(each: FaultClass, found: readonly FoundFinding[]): FoundFinding | string {
  const fitting = found.filter(
    ({ kind, node, evidence }) =>
      kind === each.kind && node === each.node && (each.says?.(evidence) ?? true),
  );
  const [one] = fitting;
  if (one === undefined || fitting.length > 1) return `${each.fault}: ${fitting.length} findings`;
  const lacking = each.evidence.filter((key) => !Object.hasOwn(one.evidence, key));
  if (lacking.length > 0) return `${each.fault}: the evidence lacks ${lacking.join(", ")}`;
  return one.severity === each.severity ? one : `${each.fault}: ${one.severity}`;
}

if (import.meta.main) {
  const found = await runClasses(true);
  const rows = FAULT_CLASSES.map((each) => {
    const one = match(each, found);
    if (typeof one === "string") process.exitCode = 1;
    return typeof one === "string"
      ? [each.fault, "NOT FOUND", "", one]
      : [each.fault, one.kind, one.severity, Object.keys(one.evidence).join(", ")];
  });
  process.stdout.write(formatTable(["fault", "finding", "severity", "evidence"], rows));
  const honest = await runClasses(false);
  process.stdout.write(`without faults: ${honest.length} findings\n`);
  if (honest.length > 0 || found.length !== FAULT_CLASSES.length) process.exitCode = 1;
}
