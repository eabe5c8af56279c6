/** Runs a replay mesh's records through `Derive`, in whatever pieces, and says what is there at the end. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Entry, FindingEntry, RulingEntry } from "../../src/format/entry.ts";
import type { Decoder } from "../../src/reconcile/derive/decode.ts";
import {
  Derive,
  type DeriveJournal,
  type JournalBatch,
} from "../../src/reconcile/derive/derive.ts";
import type { DeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import type { ParkingPolicy } from "../../src/reconcile/row/parking.ts";
import type { RulingStore } from "../../src/reconcile/row/rulings.ts";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import type { Clock } from "../../src/std/clock.ts";
import type { SeededRandom } from "../../src/std/seeded-random.ts";
import type { MemoryStore } from "../simulate/memory-store.ts";
import { type ReplayRecord, SERVER } from "../simulate/replay-mesh.ts";
import { SimNode } from "../simulate/sim-node.ts";

/** Pauses are over at once. */
export const hastyClock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  after(_delayMs, call) {
    setImmediate(call);
    return { cancel: () => undefined };
  },
};

export const nobodyRules: RulingStore = {
  findings: () => Promise.resolve([]),
  rewrite: () => Promise.resolve(),
};

/** A journal that is read in the pieces that a test wants, and is as long as it says. */
export class ReplayJournal implements DeriveJournal {
  readonly batches: JournalBatch[] = [];
  /** As in `batches`; of a finding that was journaled, too. */
  readonly records: ReplayRecord[] = [];
  readonly #server = new SimNode(SERVER);
  /** Records that a read gives, at most. */
  pieceMax: () => number = () => 4_096;
  #grown = Promise.withResolvers<void>();

  constructor(records: readonly ReplayRecord[] = []) {
    for (const record of records) this.append(record);
  }

  get end(): number {
    return this.batches.length;
  }

  append(record: ReplayRecord): void {
    const { receivedMs } = record;
    const frame = "frame" in record ? record.frame : this.#seal(record.server, receivedMs);
    this.records.push(record);
    this.batches.push({ index: this.batches.length, receivedMs, type: "batch", frame });
    this.#grown.resolve();
    this.#grown = Promise.withResolvers<void>();
  }

  read(from: number, to: number): Promise<JournalBatch[]> {
    return Promise.resolve(this.batches.slice(from, Math.min(to, from + this.pieceMax())));
  }

  grown(index: number): Promise<void> {
    return this.end > index ? Promise.resolve() : this.#grown.promise;
  }

  #seal(entries: readonly Entry[], atMs: number): Uint8Array {
    for (const entry of entries) this.#server.emit(entry);
    return this.#server.seal(atMs);
  }
}

export interface RunOptions {
  readonly journal: ReplayJournal;
  readonly store: DeriveStore;
  readonly parking?: ParkingPolicy;
  /** Where nobody rules, none. */
  readonly rulings?: RulingStore;
  readonly decoder?: Decoder;
  /** Told of each time that findings are journaled. */
  journalFindings(findings: readonly FindingDraft[]): void;
}

/** From where the store is to `end` or a little further, by a new `Derive`. Returns how far. */
export async function runTo(end: number, options: RunOptions): Promise<number> {
  const derive = await open(options);
  const run = derive.run();
  await Promise.race([run, reached(derive, Math.min(end, options.journal.end))]);
  derive.stop();
  await run;
  return derive.committed;
}

async function reached(derive: Derive, end: number): Promise<void> {
  while (derive.committed < end) await nextTurn();
}

export interface LiveOptions {
  readonly parking?: ParkingPolicy;
  readonly people?: {
    readonly rulings: RulingStore;
    /** What people say when these findings are told. */
    rule(told: readonly FindingEntry[]): RulingEntry[];
  };
}

/** As a server that lives on: what it concludes stands in the journal before what comes next. */
export async function runLive(
  records: readonly ReplayRecord[],
  store: DeriveStore,
  random: SeededRandom,
  { parking = "when_behind", people }: LiveOptions = {},
): Promise<ReplayJournal> {
  const journal = new ReplayJournal();
  let nowMs = 0;
  const derive = await open({
    journal,
    store,
    parking,
    ...(people === undefined ? {} : { rulings: people.rulings }),
    journalFindings(findings) {
      if (findings.length === 0) return;
      const entries = findings.map((one) => ({ ...one, atMs: nowMs }));
      journal.append({ server: entries, receivedMs: nowMs });
      const said = people?.rule(entries) ?? [];
      if (said.length > 0) journal.append({ server: said, receivedMs: nowMs });
    },
  });
  const run = derive.run();
  for (let at = 0; at < records.length;) {
    const pieceEnd = Math.min(records.length, at + random.integer(1, 40));
    for (; at < pieceEnd; at++) {
      const record = records[at];
      if (record === undefined) continue;
      nowMs = record.receivedMs;
      journal.append(record);
    }
    while (derive.committed < journal.end) await nextTurn();
  }
  derive.stop();
  await run;
  return journal;
}

/** Reads back where the store is. */
export async function open(options: RunOptions): Promise<Derive> {
  const { journal, store } = options;
  const intent = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };
  return Derive.open({
    journal,
    store,
    rulings: options.rulings ?? nobodyRules,
    intent,
    serverId: new SimNode(SERVER).id,
    clock: hastyClock,
    parking: options.parking ?? "when_behind",
    ...(options.decoder === undefined ? {} : { decoder: options.decoder }),
    // So few that they are numbered anew all the time.
    ...(options.parking === "at_once" ? { addressesMax: 4, networksMax: 1 } : {}),
    journalFindings: (findings) => Promise.resolve(options.journalFindings(findings)),
    log: (line) => {
      throw new Error(line);
    },
  });
}

/** The same records, those between two of the server's in another order; each node's own stay in theirs. */
export function interleaved(
  records: readonly ReplayRecord[],
  random: SeededRandom,
): ReplayRecord[] {
  const out: ReplayRecord[] = [];
  let some: ReplayRecord[] = [];
  const flush = (): void => {
    const queues = new Map<string, ReplayRecord[]>();
    for (const record of some) {
      const node = "nodeId" in record ? record.nodeId : "";
      const queue = queues.get(node) ?? [];
      queues.set(node, queue);
      queue.push(record);
    }
    const turns = random.shuffled(some.map((record) => ("nodeId" in record ? record.nodeId : "")));
    for (const node of turns) out.push(...(queues.get(node)?.splice(0, 1) ?? []));
    some = [];
  };
  for (const record of records) {
    if ("frame" in record) {
      some.push(record);
      continue;
    }
    flush();
    out.push(record);
  }
  flush();
  return out;
}

/**
 * All that is there, as lines. Left out is nothing but what says in which range a row was written:
 * its version. Journal indices are those of `order`, so that another interleaving can be compared.
 */
export async function linesOf(
  store: MemoryStore,
  order: ReadonlyMap<number, number> = new Map(),
): Promise<string[]> {
  const mapped = mappedBy(order);
  const lines: string[] = [];
  for (const table of ["connection_rows", "log_rows", "batch_rows"] as const) {
    lines.push(...store.rows(table).map((row) => lineOf(table, row, mapped)));
  }
  // Entries that the journal has in both orders: what they say of places is of the first.
  lines.push(...store.rows("finding_rows").map((row) => lineOf("finding_rows", row, asIs)));
  for (const { memory: _, ...row } of store.rows("node_rows")) {
    lines.push(lineOf("node_rows", row, mapped));
  }
  lines.push(...(await memoriesOf(store, order)));
  return lines.toSorted();
}

/** What nodes' rows remember, as a restart takes it: with the ticks made up for that came after them. */
export async function memoriesOf(
  store: DeriveStore,
  order: ReadonlyMap<number, number> = new Map(),
): Promise<string[]> {
  const journal = new ReplayJournal();
  const { reconcile } = await open({ journal, store, journalFindings: () => undefined });
  const mapped = mappedBy(order);
  return [...reconcile.streams.values()].map(({ id, memory }) =>
    lineOf(`memory of ${id}`, { ...memory }, mapped),
  );
}

type Mapping = (key: string, value: unknown) => unknown;

const asIs: Mapping = (_key, value) => value;

/** Gives journal indices the number that they have in another order. */
export function mappedBy(order: ReadonlyMap<number, number>): Mapping {
  const indexOf = (index: unknown): number => order.get(Number(index)) ?? Number(index);
  return (key, value) => {
    if (key === "excuse_index") return value === 0 ? 0 : indexOf(value);
    return /^(index|journalIndex|journal_index|[ab]_index)$/.test(key) ? indexOf(value) : value;
  };
}

export function lineOf(
  table: string,
  row: Readonly<Record<string, unknown>>,
  mapped: Mapping,
): string {
  const { version: _, ...rest } = row;
  return `${table} ${JSON.stringify(canonical(rest, mapped))}`;
}

/** Keys in order: what a key came first for is no content. */
export function canonical(
  value: unknown,
  mapped: (key: string, value: unknown) => unknown,
): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => canonical(one, mapped));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, one]) => [key, canonical(mapped(key, one), mapped)]),
  );
}
