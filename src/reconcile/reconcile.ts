/**
 * The comparison: takes the journal's records in order, pairs halves, and decides. What comes out is
 * a function of the journal alone: time is the receive time of the records.
 *
 * Applying a record twice changes nothing, so that a crash between writing rows and remembering the
 * position is repaired by doing the range again.
 */
import type { BatchHeader } from "../format/batch.ts";
import type { ConnectionEntry, Entry, OpenEntry } from "../format/entry.ts";
import { AddressBook } from "./address-book.ts";
import { Agenda } from "./agenda.ts";
import { Connection } from "./connection.ts";
import {
  countersDiffer,
  finding,
  findingId,
  missingHalf,
  type About,
  type FindingDraft,
} from "./findings.ts";
import { Half } from "./half.ts";
import { isPastAccounts, judgeLone, judgePair, type LoneJudgement, type Sky } from "./judge.ts";
import { CLOCK_TOLERANCE_MS, PAIRING_AT_ONCE_MS, REVIEW_EVERY_MS } from "./limits.ts";
import { TupleMatcher, type Matcher } from "./matcher.ts";
import { applyNodeEntry, breakSilence, reviewNodes } from "./node-entries.ts";
import { NodeStream, type NodeMemory } from "./node-stream.ts";

export interface ReconcileOptions {
  /** Hex id of the server's own stream. */
  readonly serverId: string;
  /** How far two nodes' clocks may differ before a clock model knows better. */
  readonly toleranceMs?: number;
  readonly matcher?: Matcher;
}

/** One batch of the journal. */
export interface BatchRecord {
  readonly index: number;
  readonly receivedMs: number;
  /** Hex. */
  readonly nodeId: string;
  readonly header: BatchHeader;
}

/** A lone half is written only after this long: its partner usually comes first, and saves a row. */
const HOLD_LONE_MS = 1_000;

export class Reconcile {
  readonly streams = new Map<string, NodeStream>();
  readonly book = new AddressBook();
  readonly #matcher: Matcher;
  readonly #toleranceMs: number;
  /** Each at most once: `queued` tells. */
  #changed: Connection[] = [];
  readonly #agenda = new Agenda();
  readonly #openFindings = new Map<string, "open" | "resolved">();
  #findings: FindingDraft[] = [];
  #nowMs = 0;
  #record: BatchRecord | undefined;
  #stream: NodeStream | undefined;

  constructor(options: ReconcileOptions) {
    this.#toleranceMs = options.toleranceMs ?? CLOCK_TOLERANCE_MS;
    this.#matcher =
      options.matcher ??
      new TupleMatcher({ nearMs: 2 * this.#toleranceMs, atOnceMs: PAIRING_AT_ONCE_MS });
    const server = new NodeStream(options.serverId, "server");
    server.memory.state = "server";
    this.streams.set(server.id, server);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Connections in memory: those that something may still change. */
  get liveCount(): number {
    let count = 0;
    for (const stream of this.streams.values()) count += stream.live.size;
    return count;
  }

  /** Looks that are planned: never more than one for a connection. */
  get plannedCount(): number {
    return this.#agenda.count;
  }

  /** A record begins; its entries follow through `entry`. */
  begin(record: BatchRecord): void {
    this.#passTo(record.receivedMs);
    this.#record = record;
    this.#stream = this.streamFor(record.nodeId);
    const epochBefore = this.#stream.memory.epoch;
    this.#stream.noteHole(record.header, record.index, record.receivedMs);
    if (record.header.epoch > epochBefore) this.#cutOff(this.#stream);
    breakSilence(this, this.#stream);
    this.#stream.advance(record.header, record.receivedMs);
  }

  /**
   * A record that was applied before a restart begins; only its connections' entries follow, for the
   * halves that had no row yet. False when there can be none: its epoch is past.
   */
  beginAgain(record: BatchRecord): boolean {
    this.#nowMs = Math.max(this.#nowMs, record.receivedMs);
    this.#record = record;
    this.#stream = this.streamFor(record.nodeId);
    return record.header.epoch === this.#stream.memory.epoch;
  }

  entry(entry: Entry, seq: number): void {
    const record = this.#record;
    const stream = this.#stream;
    if (record === undefined || stream === undefined) throw new Error("entry before begin");
    switch (entry.kind) {
      case "open":
        return this.#open(stream, record, entry, seq);
      case "update":
      case "close":
      case "account":
        return this.#amend(stream, entry);
      default:
        return applyNodeEntry(this, { stream, entry, seq, index: record.index });
    }
  }

  /** Nodes are looked at once a second: there may be many of them, and many records. */
  #passTo(nowMs: number): void {
    const isNextSecond = Math.floor(nowMs / 1000) > Math.floor(this.#nowMs / 1000);
    if (isNextSecond) reviewNodes(this, nowMs - this.#nowMs, nowMs);
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** Decides what is due at the present journal time. Call once per range, after its records. */
  review(): void {
    for (const connection of this.#agenda.takeDue(this.#nowMs)) this.#reviewOne(connection);
  }

  /**
   * Judges what changed and hands it out as rows to write; settled connections are forgotten. Most
   * halves have found their partner by now, and cost no judgement of their own. Returns the index
   * of the oldest record with a half that was held back and has no row.
   */
  drainChanged(
    write: (connection: Connection, tombstone: Half | undefined) => void,
  ): number | undefined {
    let heldFrom: number | undefined;
    const sky = this.#sky;
    const changed = this.#changed;
    this.#changed = [];
    for (const connection of changed) {
      if (connection.superseded) continue;
      this.#judge(connection, sky);
      const { key, other, verdict, writtenKey } = connection;
      const fresh = this.#nowMs - key.receivedMs < HOLD_LONE_MS && !key.cutOff;
      if (other === undefined && verdict === "pending" && writtenKey === undefined && fresh) {
        heldFrom = Math.min(heldFrom ?? key.index, key.index);
        this.#changed.push(connection);
        continue;
      }
      connection.queued = false;
      write(connection, writtenKey !== undefined && writtenKey !== key ? writtenKey : undefined);
      connection.writtenKey = key;
      if (connection.settled) this.#forget(connection);
      else this.#agenda.plan(connection, this.#nowMs + REVIEW_EVERY_MS);
    }
    return heldFrom;
  }

  drainFindings(): FindingDraft[] {
    const drained = this.#findings;
    this.#findings = [];
    return drained;
  }

  /** Puts back what an earlier run had not settled; the nodes come first. */
  restore(connection: Connection): void {
    connection.writtenKey = connection.key;
    for (const half of connection.halves) {
      const { live, memory } = this.streamFor(half.node.id);
      half.cutOff = half.epoch < memory.epoch;
      if (half.cutOff) continue;
      const known = live.get(half.seq);
      if (known?.other !== undefined) return void (known.writtenKey = half);
      if (known !== undefined) this.#supersede(known, connection);
      live.set(half.seq, connection);
    }
    const { key } = connection;
    const waits = connection.other === undefined && !connection.settled;
    if (waits && key.role !== "forwarder") this.#matcher.add(key);
    this.#touch(connection);
  }

  restoreNode(id: string, name: string, memory: NodeMemory): void {
    const stream = new NodeStream(id, name, memory);
    this.streams.set(id, stream);
    this.book.claim(stream, memory.addresses);
  }

  restoreFinding(id: string, state: "open" | "resolved"): void {
    this.#openFindings.set(id, state);
  }

  /** The stream of a node; one that was never enrolled here is named by its id. */
  streamFor(id: string): NodeStream {
    let stream = this.streams.get(id);
    if (stream === undefined) {
      stream = new NodeStream(id, id.slice(0, 8));
      this.streams.set(id, stream);
    }
    return stream;
  }

  /** Journals a conclusion, unless it stands already. */
  conclude(about: About, state: "open" | "resolved" = "open"): void {
    const id = findingId(about.kind, about.subject);
    const known = this.#openFindings.get(id);
    if (known === state || (state === "resolved" && known === undefined)) return;
    this.#openFindings.set(id, state);
    this.#findings.push(finding(about, state));
  }

  get #sky(): Sky {
    return {
      nowMs: this.#nowMs,
      toleranceMs: this.#toleranceMs,
      book: this.book,
      streamOf: (half) => this.streamFor(half.node.id),
    };
  }

  #open(stream: NodeStream, record: BatchRecord, entry: OpenEntry, seq: number): void {
    if (stream.live.has(seq)) return;
    const place = {
      epoch: record.header.epoch,
      seq,
      index: record.index,
      receivedMs: record.receivedMs,
      leastLagMs: stream.memory.leastLagMs ?? 0,
    };
    const half = new Half(stream, entry, place);
    const partner = half.role === "forwarder" ? undefined : this.#matcher.add(half);
    const waiting = partner && this.streamFor(partner.node.id).live.get(partner.seq);
    if (waiting === undefined) return this.#begin(stream, half);
    waiting.join(half);
    stream.live.set(seq, waiting);
    this.#matched(waiting);
  }

  #begin(stream: NodeStream, half: Half): void {
    const connection = new Connection(half);
    stream.live.set(half.seq, connection);
    this.#touch(connection);
  }

  #matched(connection: Connection): void {
    connection.verdict = "matched";
    connection.excuse = "";
    connection.counters = "pending";
    if (connection.found === "missing-half") this.#resolveMissing(connection);
    this.#touch(connection);
  }

  #amend(stream: NodeStream, entry: Exclude<ConnectionEntry, OpenEntry>): void {
    const connection = stream.live.get(entry.openSeq);
    const half = connection?.halfOf(stream.id);
    if (connection === undefined || half === undefined) return;
    half.amend(entry);
    this.#touch(connection);
  }

  /** Only what the passing of time decided is written again. */
  #reviewOne(connection: Connection): void {
    if (connection.settled) return;
    const { verdict, excuse, counters } = connection;
    this.#judge(connection, this.#sky);
    const same =
      connection.verdict === verdict &&
      connection.excuse === excuse &&
      connection.counters === counters;
    if (same && !connection.settled) this.#agenda.plan(connection, this.#nowMs + REVIEW_EVERY_MS);
    else this.#touch(connection);
  }

  #judge(connection: Connection, sky: Sky): void {
    if (connection.settled) return;
    if (connection.other !== undefined) this.#judgeCounters(connection, sky);
    else this.#judgeAlone(connection, sky);
  }

  #judgeAlone(connection: Connection, sky: Sky): void {
    const half = connection.key;
    if (this.#joinFar(connection)) return;
    if (connection.peerName === "") connection.peerName = this.#nameOf(half);
    const decided = connection.verdict !== "pending" && connection.verdict !== "external";
    if (!decided) this.#applyLone(connection, judgeLone(half, sky));
    if (connection.verdict === "pending" || !isPastAccounts(half, sky)) return;
    if (!this.#isRipe(half)) return;
    connection.counters = half.accounted && half.counters !== undefined ? "final" : "unavailable";
    connection.settled = true;
  }

  /**
   * Pairs with a half that began at another time, once whatever is nearer to either would be here.
   * True too while that has to be waited for.
   */
  #joinFar(connection: Connection): boolean {
    const { key } = connection;
    const partner = key.role === "forwarder" ? undefined : this.#matcher.candidate(key);
    const lone = partner && this.streamFor(partner.node.id).live.get(partner.seq);
    if (partner === undefined || lone === undefined) return false;
    if (!this.#isRipe(key) || !this.#isRipe(partner)) return true;
    if (this.#matcher.candidate(partner) !== key) return true;
    this.#matcher.remove(partner);
    this.#matcher.remove(key);
    connection.absorb(lone);
    this.streamFor(partner.node.id).live.set(partner.seq, connection);
    this.#matched(connection);
    return true;
  }

  #isRipe(half: Half): boolean {
    return this.#nowMs >= half.receivedMs + this.#toleranceMs;
  }

  #nameOf(half: Half): string {
    const peer = this.book.lookup(half.network, half.peerIp);
    return peer.kind === "node" ? peer.node.name : "";
  }

  #applyLone(connection: Connection, judgement: LoneJudgement): void {
    switch (judgement.verdict) {
      case "wait":
        return;
      case "excused":
        connection.excuse = judgement.excuse;
        break;
      case "missing":
        connection.found = "missing-half";
        this.conclude(missingHalf(connection.key, judgement.peer));
        break;
      case "external":
      case "unanswered":
        break;
    }
    connection.verdict = judgement.verdict;
  }

  #judgeCounters(connection: Connection, sky: Sky): void {
    const judgement = judgePair(connection, sky);
    if (judgement.counters === "pending") return;
    connection.counters = judgement.counters;
    connection.settled = true;
    if (judgement.counters !== "final" || judgement.difference === undefined) return;
    connection.verdict = "differs";
    connection.found = "counters-differ";
    this.conclude(countersDiffer(connection, judgement.difference));
  }

  /** The half that was called missing came after all: the finding was about the half that stood alone. */
  #resolveMissing(connection: Connection): void {
    connection.found = undefined;
    for (const half of connection.halves) {
      const peer = this.streamFor(
        connection.halves.find((one) => one !== half)?.node.id ?? half.node.id,
      );
      this.conclude(missingHalf(half, peer), "resolved");
    }
  }

  /** A new epoch: nothing can refer to the halves of the former one any more. */
  #cutOff(stream: NodeStream): void {
    for (const connection of stream.live.values()) {
      const half = connection.halfOf(stream.id);
      if (half === undefined) continue;
      half.cutOff = true;
      this.#touch(connection);
    }
    stream.live.clear();
  }

  #touch(connection: Connection): void {
    if (connection.queued) return;
    connection.queued = true;
    this.#changed.push(connection);
  }

  /** A crash between two partitions left the row of a lone half beside that of its pair: it is to go. */
  #supersede(lone: Connection, pair: Connection): void {
    this.#matcher.remove(lone.key);
    lone.superseded = true;
    pair.writtenKey = lone.key;
  }

  #forget(connection: Connection): void {
    if (connection.other === undefined) this.#matcher.remove(connection.key);
    for (const half of connection.halves) {
      const { live } = this.streamFor(half.node.id);
      if (live.get(half.seq) === connection) live.delete(half.seq);
    }
  }
}
