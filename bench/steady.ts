/**
 * What a mesh costs that makes 20,000 halves a second, day after day: the share of the machine that
 * decompressing, scanning, comparing and making rows take, and whether it grows with what is stored.
 * The store's engine, which takes the rows, is not in it. A connection lives for 0.2 s, and the kernel
 * accounts for it two minutes later, so that 2.4 million halves are in memory.
 *
 *   node bench/steady.ts [HALVES_OF_HISTORY]
 */
import { cpus } from "node:os";
import { decodeFrame } from "../src/format/batch.ts";
import { EntryBlock } from "../src/format/entry-block.ts";
import { writeConnection } from "../src/reconcile/row/write-connection.ts";
import { decodeInto } from "../src/reconcile/derive/decode.ts";
import type { Changed } from "../src/reconcile/row/changed-rows.ts";
import { Reconcile } from "../src/reconcile/reconcile.ts";
import { RowBlocks } from "../src/store/row-blocks.ts";
import { backlogOf, type Frame } from "./backlog.ts";
import { threadCpuMs } from "./thread-cpu.ts";

export interface SteadyFigures {
  /** In memory, towards the end. */
  readonly liveHalves: number;
  /** Processor time of the thread, of all processors' time. */
  readonly machineShare: number;
  /** Processor time of a second after twice the history ÷ after once. */
  readonly historyRatio: number;
}

const HALVES_PER_S = 20_000;
/** As the kernel keeps a TCP connection that has ended. */
const ACCOUNTED_AFTER_MS = 120_000;
/** How long the cost is measured each time. */
const WINDOW_MS = 20_000;
/** Rows are handed out that often, as by `Derive` while there is little to do. */
const RANGE_MS = 250;

export async function benchSteady(historyHalves = 400_000): Promise<SteadyFigures> {
  const historyMs = (historyHalves / HALVES_PER_S) * 1000;
  const onceMs = ACCOUNTED_AFTER_MS + historyMs;
  const twiceMs = onceMs + historyMs;
  const { serverId, frames } = await backlogOf({
    connections: ((twiceMs + WINDOW_MS) / 1000) * (HALVES_PER_S / 2),
    nodes: 50,
    connectionsPerMs: HALVES_PER_S / 2 / 1000,
    // As often as an agent with much to say closes a batch.
    connectionsPerBatch: HALVES_PER_S / 4,
    accountedAfterMs: ACCOUNTED_AFTER_MS,
  });
  const pipeline = new Pipeline(serverId);
  const beginMs = frames[0]?.receivedMs ?? 0;
  const spentMs: Record<"once" | "twice", number> = { once: 0, twice: 0 };
  let liveHalves = 0;
  for (const [index, frame] of frames.entries()) {
    const tookMs = pipeline.take(frame, index);
    const atMs = frame.receivedMs - beginMs;
    if (atMs >= onceMs && atMs < onceMs + WINDOW_MS) spentMs.once += tookMs;
    if (atMs < twiceMs || atMs >= twiceMs + WINDOW_MS) continue;
    spentMs.twice += tookMs;
    liveHalves = Math.max(liveHalves, pipeline.liveHalves);
  }
  return {
    liveHalves,
    machineShare: spentMs.twice / WINDOW_MS / cpus().length,
    historyRatio: spentMs.twice / spentMs.once,
  };
}

/** As `Derive`, but for where batches come from and rows go. */
class Pipeline {
  readonly #reconcile: Reconcile;
  readonly #block = new EntryBlock();
  readonly #rows = new RowBlocks();
  #rangeEndsMs = 0;

  constructor(serverId: string) {
    this.#reconcile = new Reconcile({ serverId });
  }

  get liveHalves(): number {
    return this.#reconcile.liveCount;
  }

  /** Processor time that it took. */
  take({ frame, receivedMs }: Frame, index: number): number {
    const fromMs = threadCpuMs();
    const reconcile = this.#reconcile;
    const batch = decodeFrame(frame);
    const others = decodeInto(this.#block, batch, reconcile.addresses);
    const nodeId = Buffer.from(batch.header.nodeId).toString("hex");
    reconcile.take({ index, receivedMs, nodeId, header: batch.header }, this.#block, others);
    const write = (changed: Changed): void => writeConnection(this.#rows, changed, index);
    if (others.some(({ entry }) => entry.kind === "tick")) reconcile.drainSettled(write);
    if (receivedMs >= this.#rangeEndsMs) {
      this.#rangeEndsMs = receivedMs + RANGE_MS;
      reconcile.drainChanged(write);
      this.#rows.drain();
    }
    return threadCpuMs() - fromMs;
  }
}

if (import.meta.main) console.log(await benchSteady(Number(process.argv[2] ?? 400_000)));
