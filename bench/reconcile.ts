/**
 * The comparison from a cold backlog: sealed batches in, verdicts out, without the store. Prints halves
 * per second of decompressing, scanning and comparing together, and of comparing alone. Both count the
 * processor's time of the thread: what else the machine does meanwhile is not in it.
 *
 *   node bench/reconcile.ts [CONNECTIONS]
 */
import { decodeFrame, type Batch } from "../src/format/batch.ts";
import { EntryBlock } from "../src/format/entry-block.ts";
import { scanEntries } from "../src/format/entry-scan.ts";
import { decompressPayload } from "../src/format/payload.ts";
import { verdictOf } from "../src/reconcile/half-state.ts";
import { type NumberedEntry, Reconcile } from "../src/reconcile/reconcile.ts";
import { backlogOf } from "./backlog.ts";
import { threadCpuMs } from "./thread-cpu.ts";

export interface ReconcileFigures {
  readonly halves: number;
  readonly entries: number;
  /** Decompress, scan, compare. */
  readonly halvesPerS: number;
  /** Compare alone. */
  readonly comparedHalvesPerS: number;
  /** Processor time of both, and of what the engine does beside the thread, per half. */
  readonly cpuUsPerHalf: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Rows are handed out after about so many bytes, as by `Derive`. */
const RANGE_BYTES = 1_500_000;

export async function benchReconcile(connections = 500_000): Promise<ReconcileFigures> {
  const { serverId, frames } = await backlogOf({ connections, nodes: 8 });
  const reconcile = new Reconcile({ serverId });
  const verdicts: Record<string, number> = {};
  const block = new EntryBlock();
  let entries = 0;
  let comparedMs = 0;
  let rangeBytes = 0;
  const cpu = process.cpuUsage();
  const begunMs = threadCpuMs();
  for (const [index, { frame, receivedMs }] of frames.entries()) {
    const batch = decodeFrame(frame);
    entries += batch.header.entryCount;
    const others = scan(batch, block, reconcile);
    const nodeId = Buffer.from(batch.header.nodeId).toString("hex");
    const fromMs = threadCpuMs();
    reconcile.take({ index, receivedMs, nodeId, header: batch.header }, block, others);
    rangeBytes += frame.length;
    if (rangeBytes > RANGE_BYTES || index === frames.length - 1) {
      rangeBytes = 0;
      reconcile.drainChanged(({ key }) => {
        const verdict = verdictOf(key);
        verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      });
    }
    comparedMs += threadCpuMs() - fromMs;
  }
  const tookMs = threadCpuMs() - begunMs;
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

/** The batch's connections into the block; returns its other entries. */
export function scan(batch: Batch, block: EntryBlock, reconcile: Reconcile): NumberedEntry[] {
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

if (import.meta.main) console.log(await benchReconcile(Number(process.argv[2] ?? 500_000)));
