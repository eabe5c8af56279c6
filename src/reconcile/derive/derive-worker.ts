/**
 * The thread that derives. It has its own event loop, so that neither a backlog nor a heavy
 * comparison delays an acknowledgement.
 */
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { DurableEnd } from "../../journal/durable-end.ts";
import { JournalReader } from "../../journal/journal-reader.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { nodeDisk } from "../../std/node-disk.ts";
import { openStore, type Store } from "../../store/open-store.ts";
import { DecodeThread } from "./decode-thread.ts";
import type { DeriveOrders, FromWorker, ToWorker } from "./derive-messages.ts";
import { ClickHouseDeriveStore } from "./derive-store.ts";
import { Derive, type DeriveJournal } from "./derive.ts";
import { intentFile } from "./intent-file.ts";
import { ClickHouseRulingStore } from "../row/ruling-store.ts";

/** Progress is told this far apart: live events wait for it. */
const PROGRESS_MS = 100;

/** Of this thread alone: acknowledgements go before rows, rows before people's queries (the engine's 10). */
const NICE = 5;

/**
 * Rows are inserted while so much is free: nodes are refused long before (journal/limits.ts), so that the
 * rows of what they sent find room, and what then still fills a disk does not take the last of it.
 */
const ROOM_BYTES_MIN = 32 * 1024 * 1024;
/** What the server alone has to say is that little: it is to be found in the audit also on a full disk. */
const SMALL_BYTES_MAX = 256 * 1024;
const SMALL_ROOM_BYTES_MIN = 2 * 1024 * 1024;

type Port = NonNullable<typeof parentPort>;

/** Distributes over the union, so that each message keeps its own fields. */
type WithoutId<M> = M extends { id: number } ? Omit<M, "id"> : never;

/** Questions to the server, each answered once. */
class Questions {
  readonly #port: Port;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #next = 0;

  constructor(port: Port) {
    this.#port = port;
  }

  ask(question: WithoutId<FromWorker>): Promise<void> {
    const id = this.#next++;
    const answer = Promise.withResolvers<void>();
    this.#waiting.set(id, answer);
    this.#port.postMessage({ ...question, id } satisfies FromWorker);
    return answer.promise;
  }

  answer(id: number, error: string | undefined): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new Error(error));
  }
}

function journalOf(reader: JournalReader, durableEnd: DurableEnd): DeriveJournal {
  return {
    get end() {
      return durableEnd.index;
    },
    async read(from, to, bytesMax) {
      const records = await reader.readSome({ fromIndex: from, bytesMax });
      return records.filter((record) => record.index < to);
    },
    grown: (index) => durableEnd.waitFor(index),
  };
}

async function connect(orders: DeriveOrders, questions: Questions, clock: Clock): Promise<Store> {
  if (orders.store.kind === "url") return openStore({ clock, url: orders.store.url });
  const { address } = orders.store;
  const ready = (maxMs: number) => questions.ask({ kind: "engine_ready", maxMs });
  return openStore({ clock, engine: { address, ready } });
}

async function main(port: Port, orders: DeriveOrders): Promise<void> {
  setPriority(NICE);
  const clock = systemClock();
  const durableEnd = new DurableEnd(orders.durableEnd);
  const questions = new Questions(port);
  let derive: Derive | undefined;
  let stopped = false;
  port.on("message", (message: ToWorker) => {
    if (message.kind === "durable") durableEnd.publish(message.end);
    if (message.kind === "answer") questions.answer(message.id, message.error);
    if (message.kind !== "stop") return;
    stopped = true;
    derive?.stop();
  });
  await using reader = new JournalReader({ dir: orders.journalDir, durableEnd });
  await using store = await connect(orders, questions, clock);
  await using decoder = new DecodeThread();
  const disk = nodeDisk();
  derive = await Derive.open({
    journal: journalOf(reader, durableEnd),
    store: new ClickHouseDeriveStore(store.client),
    rulings: new ClickHouseRulingStore(store.client),
    intent: intentFile(orders.intentPath),
    decoder,
    serverId: orders.serverId,
    clock,
    journalFindings: (findings) =>
      findings.length === 0 ? Promise.resolve() : questions.ask({ kind: "findings", findings }),
    hasRoom: async (bytes) =>
      (await disk.freeBytes(orders.journalDir)) >=
      (bytes <= SMALL_BYTES_MAX ? SMALL_ROOM_BYTES_MIN : ROOM_BYTES_MIN),
    log: (line) => port.postMessage({ kind: "log", line } satisfies FromWorker),
  });
  const progress = setInterval(() => {
    const committed = derive?.committed ?? 0;
    port.postMessage({
      kind: "progress",
      committed,
      live: derive?.reconcile.liveCount ?? 0,
    } satisfies FromWorker);
  }, PROGRESS_MS);
  if (!stopped) await derive.run();
  clearInterval(progress);
  port.close();
}

if (parentPort !== null) await main(parentPort, workerData as DeriveOrders);
