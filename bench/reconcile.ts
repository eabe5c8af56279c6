/**
 * The comparison from a cold backlog: sealed batches in, verdicts out, without the store. Prints halves
 * per second of decompressing, scanning and comparing together, and of comparing alone.
 *
 *   node bench/reconcile.ts [CONNECTIONS]
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { decodeFrame, type Batch } from "../src/format/batch.ts";
import { EntryBlock } from "../src/format/entry-block.ts";
import { scanEntries } from "../src/format/entry-scan.ts";
import { decompressPayload } from "../src/format/payload.ts";
import { verdictOf } from "../src/reconcile/half-state.ts";
import { type NumberedEntry, Reconcile } from "../src/reconcile/reconcile.ts";
import { busyMesh } from "../test/simulate/busy-mesh.ts";

export interface ReconcileFigures {
  readonly halves: number;
  readonly entries: number;
  /** Decompress, scan, compare. */
  readonly halvesPerS: number;
  /** Compare alone. */
  readonly comparedHalvesPerS: number;
  /** Processor time of both, per half. */
  readonly cpuUsPerHalf: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

interface Backlog {
  readonly serverId: string;
  readonly frames: readonly Frame[];
}

interface Frame {
  readonly frame: Uint8Array;
  readonly receivedMs: number;
}

/** Rows are handed out after about so many bytes, as by `Derive`. */
const RANGE_BYTES = 1_500_000;
/** The server ticks that often in the backlog. */
const TICK_MS = 5_000;

/** Made in a thread of its own, so that its garbage is not ours. */
function backlogOf(connections: number): Promise<Backlog> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { connections } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

function makeBacklog(connections: number): Backlog {
  const frames: Frame[] = [];
  let tickMs = 0;
  const tick = (): Frame => {
    const atMs = tickMs;
    tickMs += TICK_MS;
    server.emit({ kind: "tick", atMs });
    return { frame: server.seal(atMs), receivedMs: atMs };
  };
  const { server } = busyMesh({
    connections,
    nodes: 8,
    deliver: (frame, receivedMs) => frames.push({ frame, receivedMs }),
  });
  // Ticks where they would have come, and some after the end.
  const backlog = frames.splice(0);
  for (const one of backlog) {
    tickMs ||= one.receivedMs + TICK_MS;
    if (one.receivedMs >= tickMs) frames.push(tick());
    frames.push(one);
  }
  for (let times = 0; times < 3; times++) frames.push(tick());
  return { serverId: server.id, frames };
}

export async function benchReconcile(connections = 500_000): Promise<ReconcileFigures> {
  const { serverId, frames } = await backlogOf(connections);
  const reconcile = new Reconcile({ serverId });
  const verdicts: Record<string, number> = {};
  const block = new EntryBlock();
  let entries = 0;
  let comparedMs = 0;
  let rangeBytes = 0;
  const cpu = process.cpuUsage();
  const begunMs = performance.now();
  for (const [index, { frame, receivedMs }] of frames.entries()) {
    const batch = decodeFrame(frame);
    entries += batch.header.entryCount;
    const others = scan(batch, block, reconcile);
    const nodeId = Buffer.from(batch.header.nodeId).toString("hex");
    const fromMs = performance.now();
    reconcile.take({ index, receivedMs, nodeId, header: batch.header }, block, others);
    rangeBytes += frame.length;
    if (rangeBytes > RANGE_BYTES || index === frames.length - 1) {
      rangeBytes = 0;
      reconcile.drainChanged(({ key }) => {
        const verdict = verdictOf(key);
        verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      });
    }
    comparedMs += performance.now() - fromMs;
  }
  const tookMs = performance.now() - begunMs;
  const { user, system } = process.cpuUsage(cpu);
  const halves = connections * 2;
  return {
    halves,
    entries,
    halvesPerS: Math.round((halves / tookMs) * 1000),
    comparedHalvesPerS: Math.round((halves / comparedMs) * 1000),
    cpuUsPerHalf: (user + system) / halves,
    verdicts,
  };
}

function scan(batch: Batch, block: EntryBlock, reconcile: Reconcile): NumberedEntry[] {
  const others: NumberedEntry[] = [];
  block.clear();
  if (batch.header.entryCount === 0) return others;
  scanEntries(decompressPayload(batch.payload, batch.header.rawBytes), batch.header, {
    block,
    addresses: reconcile.addresses,
    other: (entry, seq) => others.push({ entry, seq }),
  });
  return others;
}

if (!isMainThread && parentPort !== null) {
  const { connections } = workerData as { readonly connections?: number };
  if (connections !== undefined) parentPort.postMessage(makeBacklog(connections));
} else if (import.meta.main) {
  console.log(await benchReconcile(Number(process.argv[2] ?? 500_000)));
}
