/**
 * The comparison from a cold backlog: sealed batches in, verdicts out, without the store, once in one
 * thread and once decoded in a thread of its own, as in the server. All figures count the processor's
 * time of the threads, and of two the busier one's: what else the machine does meanwhile is not in them.
 *
 *   node bench/reconcile.ts [CONNECTIONS]
 */
import { decodeFrame } from "../src/format/batch.ts";
import { DecodeThread } from "../src/reconcile/derive/decode-thread.ts";
import { type Decoder, InlineDecoder } from "../src/reconcile/derive/decode.ts";
import { verdictOf } from "../src/reconcile/half/half-state.ts";
import { Reconcile } from "../src/reconcile/reconcile.ts";
import { type Backlog, backlogOf, type Frame } from "./backlog.ts";
import { threadCpuMs } from "./thread-cpu.ts";

export interface ReconcileFigures {
  readonly halves: number;
  readonly entries: number;
  /** Decompress, scan, compare. */
  readonly halvesPerS: number;
  /** The same in two threads. */
  readonly halvesPerSOfTwo: number;
  /** Compare alone. */
  readonly comparedHalvesPerS: number;
  /** Processor time in one thread, and of what the engine does beside it, per half. */
  readonly cpuUsPerHalf: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Rows are handed out after about so many bytes, as by `Derive`. */
const RANGE_BYTES = 1_500_000;

export async function benchReconcile(connections = 500_000): Promise<ReconcileFigures> {
  const backlog = await backlogOf({ connections, nodes: 8 });
  const halves = connections * 2;
  const perS = (tookMs: number): number => Math.round((halves / tookMs) * 1000);
  const cpu = process.cpuUsage();
  const one = await compareAll(backlog, new InlineDecoder());
  const { user, system } = process.cpuUsage(cpu);
  await using thread = new DecodeThread();
  const two = await compareAll(backlog, thread);
  const decoding = await thread.worker.cpuUsage();
  const decodedMs = (decoding.user + decoding.system) / 1000;
  return {
    halves,
    entries: one.entries,
    halvesPerS: perS(one.tookMs),
    halvesPerSOfTwo: perS(Math.max(two.tookMs, decodedMs)),
    comparedHalvesPerS: perS(one.comparedMs),
    cpuUsPerHalf: (user + system) / halves,
    verdicts: one.verdicts,
  };
}

interface Compared {
  readonly entries: number;
  /** Of this thread. */
  readonly tookMs: number;
  readonly comparedMs: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

async function compareAll(backlog: Backlog, decoder: Decoder): Promise<Compared> {
  const reconcile = new Reconcile({ serverId: backlog.serverId });
  const verdicts: Record<string, number> = {};
  let entries = 0;
  let comparedMs = 0;
  let index = 0;
  const begunMs = threadCpuMs();
  for (const range of rangesOf(backlog.frames)) {
    const batches = range.map(({ frame }) => decodeFrame(frame));
    const records = batches.map(({ header }, at) => ({
      index: index + at,
      receivedMs: range[at]?.receivedMs ?? 0,
      nodeId: Buffer.from(header.nodeId).toString("hex"),
      header,
    }));
    const undecoded = records.values();
    for await (const { block, others } of decoder.decode(batches, reconcile.addresses)) {
      const { value: record } = undecoded.next();
      if (record === undefined) break;
      entries += record.header.entryCount;
      const fromMs = threadCpuMs();
      reconcile.take(record, block, others);
      comparedMs += threadCpuMs() - fromMs;
    }
    index += range.length;
    const fromMs = threadCpuMs();
    reconcile.drainChanged(({ key }) => {
      const verdict = verdictOf(key);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    });
    comparedMs += threadCpuMs() - fromMs;
  }
  return { entries, tookMs: threadCpuMs() - begunMs, comparedMs, verdicts };
}

function* rangesOf(frames: readonly Frame[]): Generator<Frame[]> {
  let range: Frame[] = [];
  let bytes = 0;
  for (const one of frames) {
    range.push(one);
    bytes += one.frame.length;
    if (bytes <= RANGE_BYTES) continue;
    yield range;
    range = [];
    bytes = 0;
  }
  yield range;
}

if (import.meta.main) console.log(await benchReconcile(Number(process.argv[2] ?? 500_000)));
