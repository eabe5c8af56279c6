/**
 * The comparison: takes the journal's records in order, pairs halves, and decides. What comes out is
 * a function of the journal alone, whatever ranges it is read in and however the nodes' batches are
 * interleaved: everything that is final is decided when the server ticks, from all that came before
 * that tick. Between two ticks it only takes notes; two halves that obviously fit are shown as a pair
 * at once.
 *
 * Applying a record twice changes nothing, so that a crash between writing rows and remembering the
 * position is repaired by doing the range again.
 */
import type { AddressTable } from "../format/address-table.ts";
import type { BatchHeader } from "../format/batch.ts";
import {
  ENTRY_WORDS,
  type EntryBlock,
  KIND,
  kindOfHead,
  WORD as ENTRY,
} from "../format/entry-block.ts";
import type { FindingEntry, StartEntry } from "../format/entry.ts";
import { LIARS_DEFAULT, LIARS_MAX } from "../format/limits.ts";
import { TCP, UDP } from "../format/protocol.ts";
import { ADDRESSES_MAX, AHEAD_MS_MAX, NETWORKS_MAX } from "./limits.ts";
import type { BatchRecord, NumberedEntry } from "./record.ts";
import { join, keyOf, otherOf, part } from "./half/connection.ts";
import { BIT, CELL, FORWARDER, Half, HalfRecords, WORD } from "./half/half-records.ts";
import {
  clearMark,
  hasMark,
  MARK,
  setMark,
  setSlotMark,
  slotHasMark,
  verdictOf,
} from "./half/half-state.ts";
import { amend, writeOpen } from "./half/half-writer.ts";
import { NameTables } from "./half/name-tables.ts";
import { SeqIndex } from "./half/seq-index.ts";
import { Matching } from "./match/matching.ts";
import { AddressBook } from "./node/address-book.ts";
import { noteHeard, takeDeafMs } from "./node/hearing.ts";
import type { NodeMemory } from "./node/node-memory.ts";
import type { NodeStream } from "./node/node-stream.ts";
import { NodeTable } from "./node/node-table.ts";
import type { StoredFinding } from "./node/server-memory.ts";
import { settleClocks } from "./node/settle-clocks.ts";
import { RECEIVED_BYTES_MIN } from "./node/totals.ts";
import { Decisions } from "./decide/decisions.ts";
import { hasEnded, type Sky } from "./decide/judge.ts";
import { dropPlans } from "./decide/plans.ts";
import { Turns } from "./decide/turns.ts";
import { pace } from "./decide/wake-limit.ts";
import { Conclusions } from "./finding/conclusions.ts";
import type { About, FindingDraft } from "./finding/findings.ts";
import { Mismatches } from "./finding/mismatches.ts";
import { clockStepFinding } from "./finding/node-findings.ts";
import { reviewBudgets } from "./finding/review-budgets.ts";
import { storedFinding } from "./finding/stored-finding.ts";
import { type Changed, ChangedRows } from "./row/changed-rows.ts";
import { Parking } from "./row/parking.ts";
import {
  applyNodeEntry,
  bootIdOf,
  breakSilence,
  reviewContested,
  reviewNodes,
} from "./node-entries.ts";

interface ReconcileOptions {
  /** Hex id of the server's own stream. */
  readonly serverId: string;
}

export class Reconcile {
  readonly #nodes = new NodeTable();
  readonly names = new NameTables((number) => this.#nodes.at(number));
  readonly book = new AddressBook();
  readonly records = new HalfRecords();
  readonly parking: Parking;
  readonly #seqs = new SeqIndex();
  readonly #matching: Matching;
  readonly #decisions: Decisions;
  readonly #rows: ChangedRows;
  /** To be looked at when the server ticks next. */
  #touched: number[] = [];
  readonly #conclusions = new Conclusions();
  readonly #turns: Turns;
  /** The server's last tick. */
  #nowMs = 0;
  /** Receive time of the newest record. */
  #receivedMs = 0;
  #server: NodeStream;
  #mismatches: Mismatches;
  readonly #half: Half;
  /** While a restart takes it all up: rows of nodes by age, and halves that must not be taken again. */
  readonly #versions = new Map<NodeStream, number>();
  readonly #known: Half[] = [];
  readonly #undecided: Half[] = [];
  #isAgain = false;

  constructor(options: ReconcileOptions) {
    this.#half = new Half(this.records, this.names, 0);
    this.#rows = new ChangedRows({
      records: this.records,
      names: this.names,
      book: this.book,
      lastTickIndex: () => this.#server.memory.tickIndex,
      receivedMs: () => this.#receivedMs,
      parked: (half) => this.parking.note(half),
      forget: (half) => this.#forget(half),
    });
    this.#server = this.streamFor(options.serverId);
    this.#server.name = "server";
    this.#server.memory.state = "server";
    this.#matching = new Matching({
      records: this.records,
      names: this.names,
      sightOf: (half) => this.#nodes.at(half.nodeNumber),
      lastTickIndex: () => this.#server.memory.tickIndex,
      paired: (a, b) => this.#paired(a, b),
      parted: (a, b) => this.#parted(a, b),
      accompanied: (slot) => this.#touchAt(slot),
    });
    this.#turns = new Turns({
      records: this.records,
      names: this.names,
      book: this.book,
      streams: this.#nodes.byNumber,
      numberOf: (address) => this.names.addresses.numberOf(address),
      mates: (half) => this.#matching.mates(half),
      again: (half) => this.#lookAgain(half),
      renamed: (half) => this.#rows.note(half),
    });
    this.#decisions = new Decisions({
      records: this.records,
      names: this.names,
      matching: this.#matching,
      mismatches: () => this.#mismatches,
      sky: () => this.#sky,
      streams: this.#nodes.byNumber,
      changed: (half) => this.#rows.note(half),
      again: (half) => this.#lookAgain(half),
      settled: (half) => this.#settle(half),
      bridged: (half, forwarder) => this.#paired(half, forwarder),
    });
    this.parking = new Parking({
      records: this.records,
      names: this.names,
      streams: this.#nodes.byNumber,
      server: () => this.#server,
      find: (node, seq, epoch) => this.#find(node, seq, epoch),
      sift: (isGone) => this.#decisions.sift(isGone),
      isHeld: (half) => this.#rows.isHeld(half),
      isContended: (half) => this.#matching.isContended(half),
      write: (half) => this.#rows.note(half),
    });
    this.#mismatches = this.#newMismatches();
  }

  /** Hex id of the server's own stream. */
  get serverId(): string {
    return this.#server.id;
  }

  /** The time of the server's last tick. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** What halves wait for, with what they waited for before and is not cleared away yet. */
  get planCount(): number {
    return this.#decisions.waitingCount;
  }

  /** Halves in memory: those that something may still change. */
  get liveCount(): number {
    return this.records.count;
  }

  get streams(): ReadonlyMap<string, NodeStream> {
    return this.#nodes.byId;
  }

  /** Where scanned entries get the numbers of their addresses. */
  get addresses(): AddressTable {
    return this.names.addresses;
  }

  /**
   * Takes one batch: its header, its connections, and its other entries in their order. The block's
   * addresses are numbers of `addresses`.
   */
  take(record: BatchRecord, block: EntryBlock, others: readonly NumberedEntry[]): void {
    this.#receivedMs = Math.max(this.#receivedMs, record.receivedMs);
    noteHeard(this.#server, record.receivedMs);
    const stream = this.#begin(record, others);
    this.#connections(stream, record, block);
    if (others.some(({ entry }) => entry.kind === "opt_out")) this.#cutOff(stream);
    for (const { entry, seq } of others) {
      applyNodeEntry(this, { stream, entry, seq, index: record.index });
      if (entry.kind === "tick") this.#tick(entry.atMs, record.index);
      if (stream !== this.#server) continue;
      if (entry.kind === "finding") this.#read(storedFinding(entry), record.index);
      if (entry.kind === "ruling") this.#mismatches.ruled(entry);
      if (entry.kind === "start") this.#mismatches.allowLiars(maxLiarsOf(entry));
    }
    stream.endClaimedAbsence();
  }

  /**
   * A record that was applied before a restart: only for the halves that had no row yet. Nothing of it
   * counts when its epoch is past.
   */
  takeAgain(record: BatchRecord, block: EntryBlock): void {
    this.#receivedMs = Math.max(this.#receivedMs, record.receivedMs);
    const stream = this.streamFor(record.nodeId);
    if (record.header.epoch !== stream.memory.epoch) return;
    this.#isAgain = true;
    this.#connections(stream, record, block);
    this.#isAgain = false;
  }

  /**
   * Hands out what is settled as rows, and forgets it. To be called after each record in which the
   * server ticked: the names in the rows are those of that time.
   */
  drainSettled(write: (changed: Changed) => void): void {
    this.#rows.drainSettled(write);
  }

  /**
   * Hands out what changed as rows to write; what is settled is forgotten. Returns the index of the
   * oldest record with a half that was held back and has no row.
   */
  drainChanged(write: (changed: Changed) => void): number | undefined {
    return this.#rows.drain(write);
  }

  /** A range ends, in which from this record on halves were held back: so the server's own row tells how far all is. */
  endRange(rereadFrom: number): void {
    this.#server.memory.rereadFrom = rereadFrom;
    this.#server.changed = true;
  }

  /** Between two ranges: what was scanned before has other numbers afterwards. */
  compactAddresses(max = ADDRESSES_MAX): void {
    if (!this.names.compactAddresses(this.records, max)) return;
    this.#matching.reindex();
    this.#decisions.reindex();
  }

  /** Between two ranges, like `compactAddresses`. */
  compactNetworks(max = NETWORKS_MAX): void {
    if (this.names.compactNetworks(this.records, max)) this.#matching.reindex();
  }

  drainFindings(): FindingDraft[] {
    return this.#conclusions.drain();
  }

  /** A record for a half of an earlier run; the nodes come first. Undefined where the half is known. */
  allocate(
    stream: NodeStream,
    { seq, epoch }: { readonly seq: number; readonly epoch: number },
  ): Half | undefined {
    if (this.#find(stream.number, seq, epoch) !== undefined) return undefined;
    const slot = this.records.allocate();
    this.records.setWord(slot, WORD.seq, seq);
    this.records.setCell(slot, CELL.epoch, epoch);
    this.records.setCell(slot, CELL.node, stream.number);
    this.records.setCell(slot, CELL.state, MARK.live);
    this.#seqs.add(stream.number, epoch, seq, slot);
    return new Half(this.records, this.names, slot);
  }

  /** Takes up a half of an earlier run, when all of its record is there. */
  adopt(half: Half): void {
    const { epoch, absences } = this.#nodes.at(half.nodeNumber).memory;
    const hasOptedOut = absences.some(
      ({ reason, place }) => reason === "opted_out" && half.index <= place.index,
    );
    if (half.epoch < epoch || hasOptedOut) half.set(BIT.cutOff);
    if (hasMark(half, MARK.settled)) {
      this.#known.push(half);
      return;
    }
    // A pair of which both halves came before the last tick was seen by it.
    const other = otherOf(half);
    const { tickIndex } = this.#server.memory;
    if (other !== undefined && Math.max(half.index, other.index) < tickIndex) {
      setMark(keyOf(half), MARK.noted);
    }
    this.#matching.restore(half);
    this.#touch(half);
  }

  /** Takes up a half whose connection is to be decided again. */
  adoptUndecided(half: Half): void {
    this.adopt(half);
    this.#undecided.push(half);
  }

  /** `version`: the journal index after the record by which its row was written last. */
  restoreNode(id: string, name: string, { memory, version }: StoredMemory): void {
    const stream = this.#nodes.put(id, name, memory);
    stream.changed = false;
    this.#versions.set(stream, version);
    this.book.claim(stream, memory.addresses);
    if (memory.state !== "server") return;
    this.#nowMs = memory.tickMs;
    this.#server = this.streamFor(id);
    this.#mismatches = this.#newMismatches();
  }

  /** After the nodes: a finding whose entry was read by an earlier run. */
  restoreFinding(found: StoredFinding): void {
    this.#conclusions.restore(found);
    if (found.mismatch !== undefined) this.#mismatches.restore(found.mismatch);
  }

  /** After the findings: one that stands further on in the journal, in its order. */
  expectFinding(entry: FindingEntry, index: number): void {
    this.#conclusions.expect(storedFinding(entry), index);
  }

  /** All that was taken up is there, and what was held back taken again. */
  restored(): void {
    const { memory } = this.#server;
    for (const found of memory.unread) {
      this.#conclusions.restoreUnread(found);
      if (found.mismatch !== undefined) this.#mismatches.restore(found.mismatch);
      else if (found.state === "resolved") this.#mismatches.forget(found.id);
    }
    for (const key of memory.contested) this.book.noteContested(key);
    for (const [stream, version] of this.#versions) {
      if (version <= memory.tickIndex) stream.resume(memory.tickMs);
    }
    this.#versions.clear();
    for (const half of this.#known.splice(0)) this.#forget(half);
    for (const half of this.#undecided.splice(0)) this.#matching.contend(half);
    const half = new Half(this.records, this.names, 0);
    for (half.slot = 0; half.slot < this.records.end; half.slot++) {
      if (hasMark(half, MARK.live)) this.#matching.restoreContended(half);
    }
  }

  /** The stream of a node; one that was never enrolled here is named by its id. */
  streamFor(id: string): NodeStream {
    return this.#nodes.of(id);
  }

  /** Journals a conclusion, unless it stands already. A higher revision of the same one is told again. */
  conclude(about: About, state: "open" | "resolved" = "open", revision = 0): void {
    const found = this.#conclusions.conclude(about, { state, revision });
    if (found === undefined) return;
    this.#server.memory.unread.push(found);
    this.#server.changed = true;
  }

  #read({ id, state, revision }: StoredFinding, index: number): void {
    this.#conclusions.read(id, index);
    const { unread } = this.#server.memory;
    const at = unread.findIndex(
      (one) => one.id === id && one.state === state && one.revision === revision,
    );
    if (at !== -1) unread.splice(at, 1);
  }

  #newMismatches(): Mismatches {
    const nodeOf = (id: string) => this.streamFor(id);
    return new Mismatches(
      { nodeOf, conclude: (about, state, revision) => this.conclude(about, state, revision) },
      this.#server.memory.mismatches,
    );
  }

  get #sky(): Sky {
    return {
      nowMs: this.#nowMs,
      everybodyMs: this.#nodes.everybodyMs(this.#nowMs),
      book: this.book,
      streamOf: (half) => this.#nodes.at(half.nodeNumber),
      forwarderOf: (half, forwarder) => this.#matching.forwarderOf(half, forwarder.number),
    };
  }

  #begin(record: BatchRecord, others: readonly NumberedEntry[]): NodeStream {
    const stream = this.streamFor(record.nodeId);
    const { memory } = stream;
    const isNewEpoch = record.header.epoch > memory.epoch;
    stream.noteHole(record.header, record.index, record.receivedMs);
    if (isNewEpoch) this.#cutOff(stream);
    breakSilence(this, stream);
    const start = others.find(({ entry }) => entry.kind === "start")?.entry;
    if (start?.kind === "start" && bootIdOf(start) !== memory.bootId) stream.clock.boot();
    const step = stream.advance(record.header, record.receivedMs);
    if (step !== undefined) this.conclude(clockStepFinding(stream, step));
    return stream;
  }

  #connections(stream: NodeStream, record: BatchRecord, block: EntryBlock): void {
    const { words, length } = block;
    for (let index = 0; index < length; index++) {
      const at = index * ENTRY_WORDS;
      if (kindOfHead(words[at + ENTRY.head] ?? 0) === KIND.open) {
        this.#open(stream, record, block, at);
      } else {
        this.#amend(stream, record.header, block, at);
      }
    }
  }

  #open(stream: NodeStream, record: BatchRecord, block: EntryBlock, at: number): void {
    const seq = block.words[at + ENTRY.seq] ?? 0;
    const { epoch, bootAtMs, closedAtMs } = record.header;
    if (this.#find(stream.number, seq, epoch) !== undefined) return;
    const slot = this.records.allocate();
    const openedMs = block.words[at + ENTRY.atMs] ?? 0;
    const half = this.#half;
    half.slot = slot;
    const { index, receivedMs } = record;
    // By its node's own clock, which may itself be ahead by any time.
    const beganMs = Math.min(openedMs, closedAtMs + AHEAD_MS_MAX);
    // Whole, as in its row, from which a restart takes it.
    const serverMs = Math.round(stream.clock.toServerMs(beganMs, bootAtMs));
    const place = { node: stream.number, epoch, index, receivedMs, serverMs };
    writeOpen(half, { block, at, tables: this.names }, place);
    this.#seqs.add(stream.number, epoch, seq, slot);
    if (half.roleNumber === FORWARDER) stream.memory.forwards = true;
    if (!half.pickup && !this.#isAgain) stream.noteOpened(openedMs, { index, seq });
    this.#touch(half);
    this.#matching.add(half);
    if (!half.isPaired) this.#rows.note(half);
  }

  #amend(stream: NodeStream, header: BatchHeader, block: EntryBlock, at: number): void {
    const { epoch, closedAtMs } = header;
    const slot = this.#find(stream.number, block.words[at + ENTRY.openSeq] ?? 0, epoch);
    if (slot === undefined || slotHasMark(this.records, slot, MARK.settled)) return;
    const half = this.#half;
    half.slot = slot;
    amend(half, block, at, closedAtMs + AHEAD_MS_MAX);
    this.#rows.note(half);
    if (!this.#mayDecide(half)) return;
    this.#touch(half);
    this.#touchBeside(half);
  }

  /** Others wait for what a forwarder counts, or a part of a session. */
  #touchBeside(half: Half): void {
    const isPart = half.protocol === UDP && !half.isPaired;
    if (!isPart && !hasMark(half, MARK.forwarded)) return;
    for (const mate of this.#matching.mates(half)) this.#touchAt(mate);
  }

  /** Whether an entry about `half` may change what is decided of it: not while an end of a pair, or of what is decided, is to come. */
  #mayDecide(half: Half): boolean {
    const other = otherOf(half);
    if (other === undefined) return half.closed || verdictOf(half) === "pending";
    return half.closed && hasEnded(other, this.#nodes.at(other.nodeNumber));
  }

  #find(node: number, seq: number, epoch: number): number | undefined {
    const slot = this.#seqs.find(node, epoch, seq);
    return slot === -1 ? undefined : slot;
  }

  #tick(atMs: number, index: number): void {
    const told = this.#conclusions.count;
    const deafMs = takeDeafMs(this.#server, atMs);
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#settleClocks(index);
    reviewNodes(this, deafMs, this.#nowMs);
    this.#server.memory.contested = reviewContested(this, this.#server.memory.contested);
    reviewBudgets(this.#nodes.byNumber, this.#nowMs, {
      nodeOf: (id) => this.streamFor(id),
      conclude: (about, state) => this.conclude(about, state),
    });
    this.#matching.settle();
    this.#turns.review();
    for (const stream of this.#nodes.byNumber)
      pace(stream, this.#server.memory.tickMs, this.#nowMs);
    const touched = this.#touched;
    this.#touched = [];
    this.#decisions.decide(touched);
    this.#conclusions.sortAfter(told);
    for (const stream of this.#nodes.byNumber) stream.seal();
    this.#server.memory.tickIndex = index;
    this.#server.memory.tickMs = this.#nowMs;
  }

  #settleClocks(index: number): void {
    const changed = (half: Half): void => this.#rows.note(half);
    const parts = { records: this.records, names: this.names, changed };
    settleClocks(this.#nodes.byNumber, { nowMs: this.#nowMs, index }, parts);
  }

  #paired(a: Half, b: Half): void {
    const key = join(a, b);
    this.#cameFor(a, b);
    this.#cameFor(b, a);
    this.#decisions.paired(key, key.slot === a.slot ? b : a);
    this.#touch(key);
    this.#rows.note(key);
  }

  /** Resolves the finding that its partner was missing, if there is one. */
  #cameFor(half: Half, peer: Half): void {
    if (!hasMark(half, MARK.foundMissing)) return;
    clearMark(half, MARK.foundMissing);
    this.#mismatches.came(half, this.#nodes.at(peer.nodeNumber));
  }

  #parted(a: Half, b: Half): void {
    part(a, b);
    for (const half of [a, b]) {
      this.#touch(half);
      this.#rows.note(half);
    }
  }

  /** Nothing changes it any more: it takes part in nothing but being written. */
  #settle(key: Half): void {
    this.#settleHalf(key);
    const other = otherOf(key);
    if (other !== undefined) this.#settleHalf(other);
    this.#rows.note(key);
  }

  #settleHalf(half: Half): void {
    setMark(half, MARK.settled);
    this.#matching.remove(half);
    if (half.isPaired) this.#noteReceived(half);
  }

  /** For what the node's interfaces carried (totals.ts). */
  #noteReceived(half: Half): void {
    const isInitiator = half.roleNumber === 0;
    const bytes = this.records.word(
      half.slot,
      isInitiator ? WORD.responderBytes : WORD.initiatorBytes,
    );
    if (bytes < RECEIVED_BYTES_MIN || half.protocol !== TCP || half.pickup) return;
    if (!half.accounted || half.roleNumber === FORWARDER) return;
    const stream = this.#nodes.at(half.nodeNumber);
    if (half.epoch === stream.memory.epoch) stream.noteReceived(half.seq, bytes);
  }

  /** A new epoch: nothing can refer to the halves of the former one any more. */
  #cutOff(stream: NodeStream): void {
    const half = new Half(this.records, this.names, 0);
    for (half.slot = 0; half.slot < this.records.end; half.slot++) {
      if (half.nodeNumber !== stream.number || !hasMark(half, MARK.live)) continue;
      half.set(BIT.cutOff);
      this.#touch(half);
    }
  }

  /** Drops its plans and has it judged at the next tick. */
  #lookAgain(half: Half): void {
    dropPlans(keyOf(half));
    this.#touch(half);
    this.#touchBeside(half);
  }

  #touch(half: Half): void {
    this.#touchAt(half.slot);
  }

  #touchAt(slot: number): void {
    const isSecond = slotHasMark(this.records, slot, MARK.second);
    const key = isSecond ? this.records.cell(slot, CELL.partner) - 1 : slot;
    if (slotHasMark(this.records, key, MARK.touched)) return;
    setSlotMark(this.records, key, MARK.touched);
    this.#touched.push(key);
  }

  #forget(half: Half): void {
    this.#seqs.remove(half.nodeNumber, half.epoch, half.seq);
    this.#matching.remove(half);
    this.records.release(half.slot);
  }
}

/** A node's memory, and the journal index after the record by which its row was written last. */
interface StoredMemory {
  readonly memory: NodeMemory;
  readonly version: number;
}

/** f, as a start of the server says it; one that does not is of an older version. */
function maxLiarsOf({ facts }: StartEntry): number {
  const { maxLiars } = facts;
  const isIt = typeof maxLiars === "number" && Number.isInteger(maxLiars);
  return isIt && maxLiars >= 1 && maxLiars <= LIARS_MAX ? maxLiars : LIARS_DEFAULT;
}
