/**
 * Closed bodies on disk, oldest first, bounded. When the bound is reached the oldest file of unsent
 * bodies is dropped, and the caller declares exactly what was in it.
 *
 * Only per-file sums are held in memory, so a long outage costs disk and no memory. Bodies are not
 * synced one by one: a power cut may lose the last seconds, and the numbering declares them.
 */
import {
  type Body,
  type BodyFacts,
  canJoin,
  type Content,
  contentOf,
  decodeBody,
  encodeBody,
  join,
} from "./body.ts";
import { SEGMENT_BYTES_MAX } from "../limits.ts";
import type { SeqRange } from "./numbering.ts";
import { type Loss, lossesIn } from "./pending-gaps.ts";
import { type Cursor, RecordLog } from "./record-log.ts";

const TYPE_BODY = 1;

/** An emptied queue begins a new file past this size, so that sealed bodies do not stay on disk. */
const RESTART_BYTES = 64 * 1024;

/** What was given up; numbers and times inclusive. */
export interface Dropped {
  readonly count: number;
  readonly seqs: SeqRange;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface BodyQueueOptions {
  readonly directory: string;
  readonly bytesMax: number;
  /** Bodies below this number are in sealed batches already and are skipped. */
  readonly sealedTo: number;
  /** Bodies that cannot be read any more: somebody, or the disk, changed their bytes. */
  readonly onDamage?: (loss: Loss) => void;
}

/** Between two entries. */
interface Place {
  readonly seq: number;
  readonly atMs: number;
}

/** Content to seal, and where the queue stands once it is sealed. */
export interface Taken {
  readonly content: Content;
  readonly end: Cursor;
}

export class BodyQueue {
  readonly #log: RecordLog;
  readonly #bytesMax: number;
  readonly #onDamage: (loss: Loss) => void;
  /** Unsent bodies by segment; absent or zero count: the segment may go. */
  readonly #unsent = new Map<number, Dropped>();
  #cursor: Cursor;
  #lastSeq = -1;
  #lastAtMs = 0;
  /** One past the last number that is known to be sealed, and the time of its entry. */
  #released: Place;

  private constructor(log: RecordLog, options: BodyQueueOptions) {
    this.#log = log;
    this.#bytesMax = options.bytesMax;
    this.#onDamage = options.onDamage ?? (() => undefined);
    this.#released = { seq: options.sealedTo, atMs: 0 };
    this.#cursor = log.start;
    this.#scan(options.sealedTo);
  }

  static open(options: BodyQueueOptions): BodyQueue {
    const { directory, bytesMax } = options;
    const segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, Math.floor(bytesMax / 8));
    const log = RecordLog.open({ directory, prefix: "bodies", segmentBytesMax });
    return new BodyQueue(log, options);
  }

  /** One past the last number that was ever put in; 0 when it is empty. */
  get nextSeq(): number {
    return this.#lastSeq + 1;
  }

  /** Time of the last entry that was put in; 0 when none. */
  get lastAtMs(): number {
    return this.#lastAtMs;
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  get isEmpty(): boolean {
    return this.#unsent.size === 0;
  }

  /** Time of the oldest unsent entry; undefined when there is none. */
  get oldestAtMs(): number | undefined {
    return this.#unsent.values().next().value?.fromMs;
  }

  /** Unsent entries. */
  get entries(): number {
    let sum = 0;
    for (const { count } of this.#unsent.values()) sum += count;
    return sum;
  }

  /**
   * The body that a killed agent left open follows: what stood between it and the last one here, in
   * a file whose end had to be cut, is lost. A power cut does that, so it is told like one.
   */
  followedBy({ seqFirst, firstAtMs }: BodyFacts, sealedTo: number): void {
    if (!this.#log.wasCut(this.#log.segments.at(-1) ?? 0)) return;
    const from = { seq: Math.max(this.nextSeq, sealedTo), atMs: this.#lastAtMs };
    this.#damaged(from, { seq: seqFirst, atMs: firstAtMs }, "restart");
  }

  /** Puts a body at the end. Returns what had to go for it. Throws what the disk throws. */
  append(body: Body): Loss[] {
    const { segment } = this.#log.append(TYPE_BODY, ...encodeBody(body));
    this.#note(segment, body);
    const losses: Loss[] = [];
    while (this.#log.bytes > this.#bytesMax && this.#log.segments.length > 1) {
      losses.push(...this.#dropOldest());
    }
    return losses;
  }

  /** The oldest bodies that fit one batch together. They stay until `release`. */
  take(): Taken | undefined {
    while (this.#log.isDamagedAt(this.#cursor)) this.#passDamage();
    let taken: Taken | undefined;
    for (let at = this.#cursor; ;) {
      const record = this.#log.read(at);
      if (record === undefined) return taken;
      const body = decodeBody(record.body);
      if (taken === undefined) taken = { content: contentOf(body), end: record.next };
      else if (!canJoin(taken.content, body)) return taken;
      else taken = { content: join(taken.content, contentOf(body)), end: record.next };
      at = record.next;
    }
  }

  /** The unsent bodies up to a segment, oldest first. Reads the disk. */
  *unsent(lastSegment = Infinity): Generator<Body> {
    let record = this.#log.read(this.#cursor);
    while (record !== undefined && record.next.segment <= lastSegment) {
      yield decodeBody(record.body);
      record = this.#log.read(record.next);
    }
  }

  /** Releases the oldest bodies for as long as `isElsewhere` says so; how many entries were in them. */
  passOver(isElsewhere: (body: Body) => boolean): number {
    let count = 0;
    for (;;) {
      const record = this.#log.read(this.#cursor);
      const body = record && decodeBody(record.body);
      if (record === undefined || body === undefined || !isElsewhere(body)) return count;
      this.release({ content: contentOf(body), end: record.next });
      count += body.count;
    }
  }

  /** What was taken is written elsewhere: it is not read again. Its files stay until `prune`. */
  release(taken: Taken): void {
    this.#cursor = taken.end;
    const { seqFirst, count, lastAtMs } = taken.content;
    this.#released = { seq: seqFirst + count, atMs: lastAtMs };
    for (const segment of this.#unsent.keys()) {
      if (segment < taken.end.segment) this.#unsent.delete(segment);
    }
    this.#recount(taken.end.segment);
  }

  /** Removes the files of released bodies; call it once what holds their content is durable. */
  prune(): void {
    for (const segment of this.#log.segments) {
      if (segment < this.#cursor.segment) this.#log.drop(segment);
    }
    if (!this.isEmpty || this.#log.bytesOf(this.#cursor.segment) < RESTART_BYTES) return;
    this.#log.drop(this.#cursor.segment);
    this.#cursor = this.#log.start;
  }

  isGone(): boolean {
    return this.#log.isGone();
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  close(): void {
    this.#log.close();
  }

  #scan(sealedTo: number): void {
    let at = this.#cursor;
    for (let record = this.#log.read(at); record !== undefined; record = this.#log.read(at)) {
      const body = decodeBody(record.body);
      if (this.#wasCutBetween(at.segment, record.next.segment)) {
        this.#damaged(
          { seq: Math.max(this.nextSeq, sealedTo), atMs: this.#lastAtMs },
          { seq: body.seqFirst, atMs: body.firstAtMs },
        );
      }
      at = record.next;
      if (body.seqFirst + body.count <= sealedTo) this.#cursor = at;
      else this.#note(at.segment, body);
      this.#lastSeq = Math.max(this.#lastSeq, body.seqFirst + body.count - 1);
      this.#lastAtMs = Math.max(this.#lastAtMs, body.lastAtMs);
    }
  }

  #wasCutBetween(first: number, end: number): boolean {
    return this.#log.segments.some((one) => first <= one && one < end && this.#log.wasCut(one));
  }

  /** The rest of the cursor's file cannot be read: goes on with the next. */
  #passDamage(): void {
    const { segment } = this.#cursor;
    const unsent = this.#unsent.get(segment);
    const next = this.#log.segments.find((other) => other > segment);
    this.#cursor =
      next === undefined
        ? { segment, offset: this.#log.bytesOf(segment) }
        : { segment: next, offset: 0 };
    this.#unsent.delete(segment);
    const record = this.#log.read(this.#cursor);
    const body = record && decodeBody(record.body);
    const from = {
      seq: Math.max(this.#released.seq, unsent?.seqs[0] ?? 0),
      atMs: Math.max(this.#released.atMs, unsent?.fromMs ?? 0),
    };
    const to = { seq: body?.seqFirst ?? this.nextSeq, atMs: body?.firstAtMs ?? this.#lastAtMs };
    this.#damaged(from, to);
    this.#released = to;
  }

  /** What stood between two places is lost. How many of the numbers were given, nobody can know. */
  #damaged(from: Place, to: Place, cause: Loss["cause"] = "lost"): void {
    if (from.seq >= to.seq) return;
    const fromMs = from.atMs === 0 ? to.atMs : Math.min(from.atMs, to.atMs);
    const seqs = [from.seq, to.seq - 1] as const;
    this.#onDamage({ cause, count: null, fromMs, toMs: to.atMs, seqs });
  }

  #note(segment: number, body: BodyFacts): void {
    const one = factsDropped(body);
    this.#unsent.set(segment, sumOf(this.#unsent.get(segment), one));
    this.#lastSeq = Math.max(this.#lastSeq, one.seqs[1]);
    this.#lastAtMs = Math.max(this.#lastAtMs, one.toMs);
  }

  /** Sums what is unsent in the file that the cursor stands in. Counted, not computed: numbers have holes. */
  #recount(segment: number): void {
    let rest: Dropped | undefined;
    for (let record = this.#log.read(this.#cursor); record?.next.segment === segment;) {
      rest = sumOf(rest, factsDropped(decodeBody(record.body)));
      record = this.#log.read(record.next);
    }
    if (rest === undefined) this.#unsent.delete(segment);
    else this.#unsent.set(segment, rest);
  }

  #dropOldest(): Loss[] {
    const oldest = this.#log.start.segment;
    const dropped = this.#unsent.get(oldest);
    const losses: Loss[] = [];
    if (dropped !== undefined) {
      for (const body of this.unsent(oldest)) losses.push(...lossesIn(body));
      losses.push({ cause: "spool", ...dropped });
    }
    this.#unsent.delete(oldest);
    this.#log.drop(oldest);
    if (this.#cursor.segment <= oldest) this.#cursor = this.#log.start;
    return losses;
  }
}

function factsDropped(body: BodyFacts): Dropped {
  const { count, seqFirst, firstAtMs, lastAtMs } = body;
  return { count, seqs: [seqFirst, seqFirst + count - 1], fromMs: firstAtMs, toMs: lastAtMs };
}

function sumOf(a: Dropped | undefined, b: Dropped): Dropped;
function sumOf(a: Dropped | undefined, b: Dropped | undefined): Dropped | undefined;
function sumOf(a: Dropped | undefined, b: Dropped | undefined): Dropped | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    count: a.count + b.count,
    seqs: [a.seqs[0], b.seqs[1]],
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
  };
}
