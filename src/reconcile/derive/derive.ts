/**
 * From the journal to the store: each record is decoded once; its entries become rows and go through
 * the comparison, whose results become rows and findings.
 *
 * The order of effects for one range of records, and what a crash after each step means:
 *
 *   1. rows and findings are made in memory         nothing happened; the range is done again
 *   2. findings are journaled by the server         concluded again, and found in the journal ahead:
 *                                                   not journaled again
 *   3. the rows are durable in the intent file      they are inserted, and not made again: a half
 *                                                   whose row is of the end of a range cannot be
 *                                                   compared as it stood at its beginning
 *   4. each block is inserted under a token naming  inserted blocks are dropped the second time;
 *      the range, table and partition               afterwards their rows are looked for
 *   5. the position is a row of the store           the next range begins
 *
 * A half that has just come is held back for a moment, because its partner nearly always comes too
 * and saves a row. The position therefore names two places: where the next range begins, and from
 * which record on the connections must be read again, because not all of their halves have rows.
 *
 * While the store takes one range, the next is being made: never more than one.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeFrame, type Batch } from "../../format/batch.ts";
import type { Entry } from "../../format/entry.ts";
import { EntryBlock } from "../../format/entry-block.ts";
import type { Clock } from "../../std/clock.ts";
import { crashPoint } from "../../std/crash-point.ts";
import { RowBlocks, type ReadyBlock } from "../../store/row-blocks.ts";
import { StoreError } from "../../store/store-error.ts";
import { restoreConnection, restoreParked } from "../row/restore-connection.ts";
import { writeConnection } from "../row/write-connection.ts";
import { type DecodedBatch, decodeInto, type Decoder, InlineDecoder } from "./decode.ts";
import type { DeriveStore, Position, RowRange, StoredNode } from "./derive-store.ts";
import {
  writeBatch,
  writeFindingRow,
  writeAudit,
  writeLog,
  writeNode,
  type BatchPlace,
} from "../row/entry-rows.ts";
import type { FindingDraft } from "../finding/findings.ts";
import type { ParkedRange } from "../row/parked-times.ts";
import type { ParkingPolicy } from "../row/parking.ts";
import type { Changed } from "../row/changed-rows.ts";
import { Reconcile } from "../reconcile.ts";
import type { BatchRecord, NumberedEntry } from "../record.ts";
import { Rulings, type Rewrite, type RulingStore } from "../row/rulings.ts";

export interface JournalBatch {
  readonly index: number;
  readonly receivedMs: number;
  readonly type: "batch" | "evidence";
  readonly frame: Uint8Array;
}

/** The journal as deriving sees it. */
export interface DeriveJournal {
  /** One past the last durable record. */
  readonly end: number;
  /** Durable records from `from`, in order, up to `to` (exclusive) or about `bytesMax` bytes; at least one if there is one. */
  read(from: number, to: number, bytesMax: number): Promise<JournalBatch[]>;
  /** Resolves when `end` is above `index`. */
  grown(index: number): Promise<void>;
}

/** All that a range becomes in the store. */
export interface Intent extends RowRange {
  /** From here on a restart reads connections again. */
  readonly rereadFrom: number;
  /** In the order in which they are inserted. */
  readonly blocks: readonly ReadyBlock[];
  readonly rewrites: readonly Rewrite[];
}

/** What is being inserted, durable before it is: only the rows that were made can be made complete. */
export interface IntentFile {
  read(): Promise<Intent | undefined>;
  write(intent: Intent): Promise<void>;
}

interface DeriveParts {
  readonly journal: DeriveJournal;
  readonly store: DeriveStore;
  readonly rulings: RulingStore;
  readonly intent: IntentFile;
  /** Hex id of the server's own stream. */
  readonly serverId: string;
  readonly clock: Clock;
  /** Addresses that have a number before they are numbered anew; a test's. */
  readonly addressesMax?: number;
  /** The same of networks. */
  readonly networksMax?: number;
  /** Unless it says otherwise, in this thread. */
  readonly decoder?: Decoder;
  /** Unless it says otherwise, `when_behind`. */
  readonly parking?: ParkingPolicy;
  /** Appends findings to the server's own stream; resolves when they are durable. */
  journalFindings(findings: FindingDraft[]): Promise<void>;
  /** Whether the disk has room for so many bytes of rows, and for what others must write. Unless it says otherwise, it has. */
  hasRoom?(bytes: number): Promise<boolean>;
  /** Told when the store fails and when it works again. */
  log(line: string): void;
}

interface Prepared {
  readonly intent: Intent;
  readonly findings: FindingDraft[];
}

/** Compressed payload bytes per range: about 200,000 connection entries, a block that the engine likes. */
const RANGE_BYTES_MAX = 1_500_000;
/** Ranges begin at least this far apart while there is little to do: small inserts cost more than they bring. */
const PACE_MS = 250;
/** The tail end of pacing: a backlog of more records than this is worked on without pause. */
const BUSY_RECORDS = 64;
const RETRY_MS = 500;

export class Derive {
  readonly #parts: DeriveParts;
  readonly #blocks = new RowBlocks();
  /** Of one batch after the other, while it reads back where it stood. */
  readonly #block = new EntryBlock();
  readonly #decoder: Decoder;
  #reconcile: Reconcile;
  #rulings = new Rulings();
  #inFlight: Promise<void> = Promise.resolve();
  #position = 0;
  #committed = 0;
  #stopped = false;
  readonly #stop = Promise.withResolvers<void>();

  private constructor(parts: DeriveParts) {
    this.#parts = parts;
    this.#reconcile = new Reconcile(parts);
    this.#decoder = parts.decoder ?? new InlineDecoder();
  }

  /** Reads back where it stood. Waits for the store as long as it takes. */
  static async open(parts: DeriveParts): Promise<Derive> {
    const derive = new Derive(parts);
    await derive.#persist("open the store", () => derive.#load());
    return derive;
  }

  /** What it compares with; to be read only. */
  get reconcile(): Reconcile {
    return this.#reconcile;
  }

  /** One past the last record whose rows are searchable. */
  get committed(): number {
    return this.#committed;
  }

  /** Works until `stop`; rejects only for what trying again cannot mend. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const begunMs = this.#parts.clock.monotonicMs();
      const prepared = await this.#prepare();
      await this.#inFlight;
      if (prepared === undefined) {
        await Promise.race([this.#parts.journal.grown(this.#position), this.#stop.promise]);
        continue;
      }
      await this.#parts.journalFindings(prepared.findings);
      if (prepared.findings.length > 0) crashPoint("derive: findings journaled");
      this.#inFlight = this.#commit(prepared.intent);
      // An early rejection must not become unhandled before the next turn awaits it.
      this.#inFlight.catch(() => undefined);
      if (this.#parts.journal.end - this.#position < BUSY_RECORDS) await this.#pace(begunMs);
    }
    await this.#inFlight;
  }

  stop(): void {
    this.#stopped = true;
    this.#stop.resolve();
  }

  async #load(): Promise<void> {
    const { store, intent } = this.#parts;
    // A load that failed half-way has left its traces.
    this.#reconcile = new Reconcile(this.#parts);
    this.#rulings = new Rulings();
    const reconcile = this.#reconcile;
    await store.prepare();
    const last = await intent.read();
    if (last?.from === (await store.position()).next) await this.#insert(last, true);
    const nodes = await store.nodes();
    const position = positionOf(await store.position(), nodes);
    this.#position = position.next;
    this.#committed = position.next;
    for (const node of nodes) reconcile.restoreNode(node.id, node.name, node);
    for (const found of await store.findings()) reconcile.restoreFinding(found);
    await this.#rulings.restore(this.#parts.rulings);
    await store.eachUnsettled(position.rereadFrom, (stored) =>
      restoreConnection(reconcile, stored, position.next),
    );
    await this.#readAhead(position.next);
    await this.#reread(position);
    reconcile.restored();
  }

  /** Finds what of the conclusions to come is journaled already: of all batches, the server's own are opened. */
  async #readAhead(next: number): Promise<void> {
    const { journal } = this.#parts;
    const reconcile = this.#reconcile;
    const { end } = journal;
    for (let from = next; from < end;) {
      const records = await journal.read(from, end, RANGE_BYTES_MAX);
      from += records.length;
      for (const record of records) {
        if (record.type !== "batch") continue;
        const batch = decodeFrame(record.frame);
        if (placeOf(record, batch).nodeId !== reconcile.serverId) continue;
        for (const { entry } of this.#scan(batch)) {
          if (entry.kind === "finding") reconcile.expectFinding(entry, record.index);
        }
      }
      await nextTurn();
    }
  }

  /** Takes up the halves that were held back. Their rows are the only thing that is missing. */
  async #reread({ rereadFrom, next }: Position): Promise<void> {
    const reconcile = this.#reconcile;
    for (const record of await this.#readAll(rereadFrom, next)) {
      if (record.type !== "batch") continue;
      const batch = decodeFrame(record.frame);
      this.#scan(batch);
      reconcile.takeAgain(placeOf(record, batch), this.#block);
      await nextTurn();
    }
  }

  async #prepare(): Promise<Prepared | undefined> {
    const from = this.#position;
    const { journal } = this.#parts;
    const reconcile = this.#reconcile;
    if (from >= journal.end) return undefined;
    const records = await journal.read(from, journal.end, RANGE_BYTES_MAX);
    const to = from + records.length;
    const write = (changed: Changed) =>
      writeConnection(this.#blocks, changed, to, this.#rulings.excused(changed.key));
    const batches = records
      .filter(({ type }) => type === "batch")
      .map((record) => ({ record, batch: decodeFrame(record.frame) }));
    const decoding = this.#decoder.decode(
      batches.map(({ batch }) => batch),
      reconcile.addresses,
    );
    const undecoded = batches.values();
    for await (const decoded of decoding) {
      const { value: next } = undecoded.next();
      if (next === undefined) break;
      if (await this.#apply(next.record, next.batch, decoded)) reconcile.drainSettled(write);
      await nextTurn();
    }
    this.#position = to;
    await this.#writeFindings();
    reconcile.parking.park(this.#parts.parking ?? "when_behind");
    const rereadFrom = Math.min(reconcile.drainChanged(write) ?? to, to);
    reconcile.compactAddresses(this.#parts.addressesMax);
    reconcile.compactNetworks(this.#parts.networksMax);
    reconcile.endRange(rereadFrom);
    for (const stream of reconcile.streams.values()) {
      if (stream.changed) writeNode(this.#blocks, stream, to);
      stream.changed = false;
    }
    const findings = reconcile.drainFindings();
    const blocks = this.#blocks.drain().toSorted((a, b) => orderOf(a) - orderOf(b));
    const rewrites = this.#rulings.takeRewrites();
    return { intent: { from, to, rereadFrom, blocks, rewrites }, findings };
  }

  /** A ruling is about a row, which the range before may be inserting. */
  async #writeFindings(): Promise<void> {
    if (this.#rulings.needsStore) await this.#inFlight;
    await this.#persist("read findings", () =>
      this.#rulings.write((row) => writeFindingRow(this.#blocks, row), this.#parts.rulings),
    );
  }

  /** Exactly the records `from`…`to`, however many reads that takes. */
  async #readAll(from: number, to: number): Promise<JournalBatch[]> {
    const records: JournalBatch[] = [];
    while (from + records.length < to) {
      records.push(...(await this.#parts.journal.read(from + records.length, to, RANGE_BYTES_MAX)));
    }
    return records;
  }

  /** Whether the server ticked in it. */
  async #apply(
    record: JournalBatch,
    batch: Batch,
    { block, others }: DecodedBatch,
  ): Promise<boolean> {
    const reconcile = this.#reconcile;
    const { index, receivedMs } = record;
    const begun = placeOf(record, batch);
    const { nodeId } = begun;
    const { bootAtMs } = batch.header;
    const ticksMs = others.flatMap(({ entry }) => (entry.kind === "tick" ? [entry.atMs] : []));
    const coming = { bootAtMs, block, ticksMs };
    await this.#unpark(reconcile.parking.due(reconcile.streamFor(nodeId), coming));
    reconcile.take(begun, block, others);
    const place: BatchPlace = { index, receivedMs, stream: reconcile.streamFor(nodeId) };
    writeBatch(this.#blocks, batch, place);
    for (const { entry, seq } of others) this.#writeEntry(entry, seq, place);
    return nodeId === reconcile.serverId && others.some(({ entry }) => entry.kind === "tick");
  }

  /** Takes back halves that are parked; the range before may be inserting their rows. */
  async #unpark(ranges: readonly ParkedRange[]): Promise<void> {
    if (ranges.length === 0) return;
    await this.#inFlight;
    const { store } = this.#parts;
    const reconcile = this.#reconcile;
    for (const range of ranges) {
      await this.#persist("read parked connections", () =>
        store.eachParked(range, (stored) => restoreParked(reconcile, stored)),
      );
      reconcile.parking.unparked(range);
    }
  }

  /** Puts the batch's connection entries into the block, and returns the others. */
  #scan(batch: Batch): NumberedEntry[] {
    return decodeInto(this.#block, batch, this.#reconcile.addresses);
  }

  #writeEntry(entry: Entry, seq: number, place: BatchPlace): void {
    switch (entry.kind) {
      case "open":
      case "update":
      case "close":
      case "account":
        return;
      case "tick":
        return this.#rulings.tick(entry.atMs, { index: place.index, seq });
      case "finding": {
        const nodeName = entry.node === "" ? "" : this.#reconcile.streamFor(entry.node).name;
        return this.#rulings.finding(entry, nodeName, { index: place.index, seq });
      }
      case "ruling":
        this.#rulings.ruling(entry, { index: place.index, seq });
        return writeLog(this.#blocks, entry, seq, place);
      case "audit":
        return writeAudit(this.#blocks, entry, { index: place.index, seq });
      default:
        return writeLog(this.#blocks, entry, seq, place);
    }
  }

  async #commit(intent: Intent): Promise<void> {
    await this.#untilRoom(intent);
    await this.#parts.intent.write(intent);
    crashPoint("derive: intent written");
    await this.#insert(intent, false);
    this.#committed = intent.to;
  }

  /** `isRepeated`: some of it may be there from before a crash. */
  async #insert(intent: Intent, isRepeated: boolean): Promise<void> {
    const { store } = this.#parts;
    const { from, to, rereadFrom } = intent;
    for (const block of intent.blocks) {
      if (block.table === "node_rows") await this.#rewrite(intent);
      const token = `${from}-${to} ${block.table} ${block.partition}`;
      await this.#persist(`insert into ${block.table}`, (attempt) =>
        isRepeated || attempt > 1
          ? store.insertAgain(block, token, intent)
          : store.insert(block, token),
      );
      crashPoint("derive: block inserted");
    }
    const position = { next: to, rereadFrom };
    await this.#persist("remember the position", () => store.setPosition(position));
    crashPoint("derive: position written");
  }

  async #rewrite({ rewrites, to }: Intent): Promise<void> {
    for (const rewrite of rewrites) {
      await this.#persist("rewrite a connection", () => this.#parts.rulings.rewrite(rewrite, to));
    }
  }

  /** On a full disk the last room is for who can make some. What waits is in the journal. */
  async #untilRoom({ blocks }: Intent): Promise<void> {
    const parts = this.#parts;
    const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
    const hasRoom = async () => (await parts.hasRoom?.(bytes)) ?? true;
    if (await hasRoom()) return;
    parts.log("the disk is full: what comes is not searchable until there is room");
    while (!(await hasRoom())) {
      if (this.#stopped) throw new StoreError("store_closed", "it stops while the disk is full");
      await this.#wait(RETRY_MS);
    }
    parts.log("there is room: what came is made searchable");
  }

  /** The store may be away for long: ingest goes on, and this waits. */
  async #persist(what: string, effect: (attempt: number) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await effect(attempt);
        if (attempt > 1) this.#parts.log(`the store works again: ${what}`);
        return;
      } catch (error) {
        if (this.#stopped || isIncomplete(error)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        if (attempt === 1) this.#parts.log(`the store failed to ${what}, trying again: ${reason}`);
        await this.#wait(RETRY_MS);
      }
    }
  }

  async #pace(begunMs: number): Promise<void> {
    const restMs = begunMs + PACE_MS - this.#parts.clock.monotonicMs();
    if (restMs > 0) await this.#wait(restMs);
  }

  async #wait(delayMs: number): Promise<void> {
    const waited = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(delayMs, waited.resolve);
    await Promise.race([waited.promise, this.#stop.promise]);
    timer.cancel();
  }
}

/** Trying again does not bring back what somebody removed. */
function isIncomplete(error: unknown): boolean {
  return error instanceof StoreError && error.code === "store_incomplete";
}

/** Nodes' rows are the last of a range, and the server's own is always among them: where it is there, all is. */
function positionOf(position: Position, nodes: readonly StoredNode[]): Position {
  const server = nodes.find(({ memory }) => memory.state === "server");
  if (server === undefined || server.version <= position.next) return position;
  return { next: server.version, rereadFrom: server.memory.rereadFrom };
}

/**
 * Nodes last: what is used up in their memory, such as the excuses of a gap, must never be there without the rows
 * that used it.
 */
function orderOf(block: ReadyBlock): number {
  return block.table === "node_rows" ? 1 : 0;
}

function placeOf({ index, receivedMs }: JournalBatch, { header }: Batch): BatchRecord {
  return { index, receivedMs, nodeId: Buffer.from(header.nodeId).toString("hex"), header };
}
