/** The server's side of deriving: starts the worker, passes on what is durable, journals its findings. */
import { Worker } from "node:worker_threads";
import type { DurableEnd } from "../../journal/durable-end.ts";
import type { DeriveOrders, FromWorker, ToWorker } from "./derive-messages.ts";
import type { FindingDraft } from "../finding/findings.ts";

interface DeriveHost {
  readonly durableEnd: DurableEnd;
  /** Appends to the server's own stream; resolves when durable. */
  journalFindings(findings: FindingDraft[]): Promise<void>;
  /** Resolves when the embedded engine serves; rejects after `maxMs`. */
  engineReady(maxMs: number): Promise<void>;
  log(line: string): void;
  /** The position has moved. */
  onCommitted(): void;
  /** The worker ended although nobody asked it to: deriving stands still until the server is started again. */
  onFailure(error: Error): void;
}

interface DeriveProgress {
  /** One past the last journal index that is searchable. */
  readonly committed: number;
  /** Connections that something may still change. */
  readonly live: number;
}

export interface DeriveHandle {
  readonly progress: DeriveProgress;
  close(): Promise<void>;
}

/** Heap of the worker, MiB: two million undecided connections, and the rows of two ranges. */
const HEAP_MIB_MAX = 3_072;
const STOP_MAX_MS = 10_000;

export function startDerive(
  orders: Omit<DeriveOrders, "durableEnd">,
  host: DeriveHost,
): DeriveHandle {
  const worker = new Worker(new URL("./derive-worker.ts", import.meta.url), {
    workerData: { ...orders, durableEnd: host.durableEnd.index } satisfies DeriveOrders,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  const send = (message: ToWorker) => worker.postMessage(message);
  const answer = (id: number, work: Promise<void>) => {
    work.then(
      () => send({ kind: "answer", id }),
      (error: unknown) => send({ kind: "answer", id, error: String(error) }),
    );
  };
  let progress: DeriveProgress = { committed: 0, live: 0 };
  let closing = false;
  worker.on("message", (message: FromWorker) => {
    switch (message.kind) {
      case "progress": {
        const hasMoved = message.committed > progress.committed;
        progress = message;
        if (hasMoved) host.onCommitted();
        return;
      }
      case "log":
        return host.log(message.line);
      case "findings":
        return answer(message.id, host.journalFindings(message.findings));
      case "engine_ready":
        return answer(message.id, host.engineReady(message.maxMs));
    }
  });
  worker.on("error", (error: Error) => host.onFailure(error));
  const ended = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      if (!closing && code === 0) host.onFailure(new Error("the deriving worker ended"));
      resolve();
    });
  });
  const forget = host.durableEnd.onCommit((end) => send({ kind: "durable", end }));
  // Published between reading the index above and listening here would be missed otherwise.
  send({ kind: "durable", end: host.durableEnd.index });
  return {
    get progress() {
      return progress;
    },
    async close() {
      closing = true;
      forget();
      send({ kind: "stop" });
      const timer = setTimeout(() => void worker.terminate(), STOP_MAX_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
