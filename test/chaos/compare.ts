/** The thread that compares what was admitted, some ticks of the server behind the admission. */
import { parentPort, workerData } from "node:worker_threads";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { Comparer } from "./comparer.ts";
import { threadCpuMs } from "./thread-cpu.ts";

export interface CompareOrders {
  /** Hex id of the server's own stream. */
  readonly serverId: string;
}

/** Batches in the order of the journal. */
export interface ToComparer {
  /** One frame behind the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
  readonly indices: readonly number[];
  readonly receivedMs: readonly number[];
  /** Nothing follows. */
  readonly isLast: boolean;
}

/** Each change of a finding, with the journal time at which it was concluded. */
export type Concluded = readonly [finding: FindingDraft, atMs: number];

/** To each of `ToComparer` one. */
export interface FromComparer {
  readonly concluded: readonly Concluded[];
  /** Instead of more, to the last one. */
  readonly result?: Compared;
}

export interface Compared {
  /** Connection entries and others. */
  readonly entries: number;
  /** Connections by verdict. */
  readonly verdicts: ReadonlyMap<string, number>;
  /** Of the thread's own processor time. */
  readonly cpuMs: number;
}

function main(port: NonNullable<typeof parentPort>, { serverId }: CompareOrders): void {
  let concluded: Concluded[] = [];
  const comparer = new Comparer({
    serverId,
    onFinding: (finding, atMs) => concluded.push([finding, atMs]),
  });
  port.on("message", ({ bytes, lengths, indices, receivedMs, isLast }: ToComparer) => {
    concluded = [];
    let from = 0;
    for (const [at, length] of lengths.entries()) {
      const frame = bytes.subarray(from, from + length);
      from += length;
      const index = indices[at] ?? 0;
      comparer.take({ index, type: "batch", receivedMs: receivedMs[at] ?? 0, frame });
    }
    const answer: FromComparer = { concluded };
    port.postMessage(isLast ? { ...answer, result: resultOf(comparer) } : answer);
    if (isLast) port.close();
  });
}

function resultOf(comparer: Comparer): Compared {
  return { entries: comparer.entries, verdicts: comparer.verdicts(), cpuMs: threadCpuMs() };
}

if (parentPort !== null) main(parentPort, workerData as CompareOrders);
