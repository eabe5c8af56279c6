/**
 * The way of every entry from its birth to the queue of what is to be sent.
 *
 *   1. number it                      crash: the number is lost with it; the reservation skips it
 *   2. add it to the open body        crash before the turn ends: lost, and declared by `gap{restart}`
 *   3. write its line to `open`       crash: found again at the next start
 *   4. close the body into the queue  crash: found in both; what the queue has wins
 *   5. clear `open`
 *
 * Nothing here waits for the network, and a full or failing disk costs entries that are declared,
 * never a delay.
 */
import { join } from "node:path";
import type { Entry, GapEntry } from "../../format/entry.ts";
import { ENTRIES_PER_BATCH_MAX } from "../../format/limits.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { BodyQueue, type Taken } from "./body-queue.ts";
import type { Body, Content, Moment } from "./body.ts";
import { crashPoint } from "../../std/crash-point.ts";
import { BODY_OPEN_MS_MAX, BODY_RAW_BYTES_MAX } from "../limits.ts";
import { Numbering, type NumberHole } from "./numbering.ts";
import { type Loss, lossesIn, PendingGaps } from "./pending-gaps.ts";
import { OpenBody, recoverOpenBody } from "./open-body.ts";
import { bootAtMs } from "../machine.ts";

export interface EntryStreamOptions {
  readonly clock: Clock;
  /** The file of the numbering, and the directory of the bodies. */
  readonly numberingFile: string;
  readonly directory: string;
  readonly bytesMax: number;
  /** Numbers below are sealed. */
  readonly sealedTo: number;
  /** What a batch claims to be complete to, at the moment of asking. */
  readonly completeToMs: () => number;
  /** Called when a body has been closed. */
  readonly onBody: () => void;
  /** Called when the spool's files are gone. */
  readonly onLost: () => void;
  /** Called when entries in the spool cannot be read any more. */
  readonly onDamage: (loss: Loss) => void;
}

/** Numbers that a run before this one may have given, and nobody wrote down. */
export interface Hole extends NumberHole {
  /** Time of the last entry that was written down; 0 when there is none. */
  readonly fromMs: number;
}

export class EntryStream {
  readonly #options: EntryStreamOptions;
  readonly #numbering: Numbering;
  readonly hole: Hole | undefined;
  readonly #pending: PendingGaps;
  #queue: BodyQueue;
  #open: OpenBody;
  #timer: Timer | undefined;
  #writing = false;
  #closed = false;
  #droppedEntries = 0;

  constructor(options: EntryStreamOptions) {
    this.#options = options;
    const { directory, sealedTo } = options;
    this.#pending = new PendingGaps(join(directory, "dropped"));
    this.#queue = this.#openQueue(sealedTo);
    const found = recoverOpenBody(this.#openPath, this.#moment());
    const knownTo = Math.max(this.#queue.nextSeq, sealedTo);
    if (found !== undefined && found.seqFirst >= knownTo) {
      this.#queue.followedBy(found, sealedTo);
      this.#lose(this.#queue.append(found));
    }
    this.#open = new OpenBody(this.#openPath);
    const floor = Math.max(this.#queue.nextSeq, sealedTo);
    const { numbering, hole } = Numbering.open(options.numberingFile, floor);
    this.#numbering = numbering;
    this.hole = hole && { ...hole, fromMs: this.#queue.lastAtMs };
  }

  get queue(): BodyQueue {
    return this.#queue;
  }

  /** Entries that this run gave up, all declared. */
  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  get nextSeq(): number {
    return this.#numbering.next;
  }

  /**
   * Numbers an entry and takes it over. `quiet`: it does not start a batch, it waits for the next
   * one. Entries of one turn of the event loop are written together when the turn ends.
   */
  emit(entry: Entry, quiet = false): number {
    const seq = this.#numbering.take();
    if (this.#closed) return seq;
    this.#open.add(entry, seq);
    crashPoint("agent: entry numbered");
    if (!this.#writing) {
      this.#writing = true;
      queueMicrotask(() => this.#write());
    }
    if (this.#open.size >= BODY_RAW_BYTES_MAX || this.#open.count >= ENTRIES_PER_BATCH_MAX) {
      this.closeBody();
    } else if (!quiet) {
      this.#timer ??= this.#options.clock.after(BODY_OPEN_MS_MAX, () => this.closeBody());
    }
    return seq;
  }

  /** Closes the open body into the queue; nothing happens when it is empty and has no flags to carry. */
  closeBody(flags = 0): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#open.count === 0) return;
    this.#write();
    const lost = this.#renewSpool();
    const body = this.#open.close(this.#moment(), flags);
    crashPoint("agent: body closed");
    this.#lose(this.#enqueue(body));
    this.#options.onBody();
    // Said in the next body: this one may be full.
    this.#declareLost(lost);
  }

  /**
   * Looks whether somebody removed the spool's files; if so begins new ones and declares the loss,
   * which nobody can count: what was in them is known to whoever removed them.
   */
  checkSpool(): void {
    this.#declareLost(this.#renewSpool());
  }

  #declareLost(lost: Pick<GapEntry, "fromMs" | "toMs"> | undefined): void {
    if (lost === undefined) return;
    this.#options.onLost();
    this.emit({ kind: "gap", atMs: lost.toMs, cause: "lost", count: null, ...lost });
  }

  /** The time of what is lost, when files had to be made anew. Where they cannot be, the next look tries again. */
  #renewSpool(): Pick<GapEntry, "fromMs" | "toMs"> | undefined {
    if (!this.#queue.isGone()) return undefined;
    const nowMs = this.#options.clock.nowMs();
    const fromMs = this.#queue.oldestAtMs ?? this.#queue.lastAtMs;
    // Until there is a new one the old one is written on: its file has no name, and still a place.
    const fresh = this.#openNewQueue();
    if (fresh === undefined) return undefined;
    this.#queue.close();
    this.#queue = fresh;
    this.#write();
    return { fromMs: fromMs === 0 ? nowMs : Math.min(fromMs, nowMs), toMs: nowMs };
  }

  /** Undefined while the directory refuses. */
  #openNewQueue(): BodyQueue | undefined {
    let fresh: BodyQueue | undefined;
    try {
      fresh = this.#openQueue(0);
      this.#open.reopen();
      return fresh;
    } catch {
      fresh?.close();
      return undefined;
    }
  }

  /** Numbers for entries that are sealed without passing the queue; returns the first. */
  skip(count: number): number {
    const first = this.#numbering.take();
    for (let taken = 1; taken < count; taken++) this.#numbering.take();
    return first;
  }

  /** Bodies that can never be sent: declared, like those that had to make room. */
  giveUp(taken: Taken): void {
    this.#queue.release(taken);
    this.#lose(lossesOf(taken.content, "lost"));
  }

  /** Declares what was dropped; called when the server answers, so that the declaration is not dropped too. */
  declareDropped(): void {
    if (this.#pending.isEmpty) return;
    const atMs = this.#options.clock.nowMs();
    for (const loss of this.#pending.take()) this.emit({ kind: "gap", atMs, ...loss });
    this.closeBody();
    this.#pending.taken();
  }

  /** Ends the run: everything is in the queue and durable, and the next number is exact. */
  async end(): Promise<void> {
    this.closeBody();
    this.#closed = true;
    await this.#queue.sync();
    await this.#numbering.close();
    this.#open.end();
    this.#queue.close();
  }

  /** The present, as a batch states it. */
  moment(): Moment {
    return this.#moment();
  }

  #openQueue(sealedTo: number): BodyQueue {
    const { directory, bytesMax, onDamage } = this.#options;
    return BodyQueue.open({
      directory,
      bytesMax,
      sealedTo,
      onDamage: (loss) => {
        onDamage(loss);
        this.#lose([loss]);
      },
    });
  }

  #write(): void {
    this.#writing = false;
    try {
      this.#open.write();
    } catch {
      // The entries are in memory; if their body cannot be written either, they are declared then.
    }
  }

  /** A body that the disk does not take is lost, and declared like one that had to make room. */
  #enqueue(body: Body): Loss[] {
    let losses: Loss[];
    try {
      losses = this.#queue.append(body);
    } catch {
      losses = lossesOf(body, "spool");
    }
    crashPoint("agent: body queued");
    try {
      this.#open.clear();
    } catch {
      // What the queue has wins at the next start.
    }
    return losses;
  }

  #lose(losses: readonly Loss[]): void {
    if (losses.length === 0) return;
    for (const { count, seqs } of losses) {
      if (seqs !== undefined) this.#droppedEntries += count ?? 0;
    }
    this.#pending.add(losses);
  }

  #moment(): Moment {
    const { clock, completeToMs } = this.#options;
    return { closedAtMs: clock.nowMs(), completeToMs: completeToMs(), bootAtMs: bootAtMs(clock) };
  }

  get #openPath(): string {
    return join(this.#options.directory, "open");
  }
}

function lossesOf(body: Body | Content, cause: GapEntry["cause"]): Loss[] {
  const { count, seqFirst, firstAtMs: fromMs, lastAtMs: toMs } = body;
  const seqs = [seqFirst, seqFirst + count - 1] as const;
  return [...lossesIn(body), { cause, count, seqs, fromMs, toMs }];
}
