/**
 * The node's own chain: takes what the stream has closed, gives it its place, signs it, and knows
 * which batch is to be sent next. One batch at most is sealed and not acknowledged.
 *
 *   1. take bodies, sign        in memory
 *   2. append the frame         crash: it is the chain's end and is sent at the next start
 *   3. release the bodies       crash: they are found again, and skipped by their numbers
 *   4. sync                     crash by power cut before: frame cut, bodies still there
 *   5. prune the bodies' files
 *   6. send; verify and keep the receipt      crash: sent again, answered as a duplicate
 */
import { decodeFrame, FLAG } from "../../format/batch.ts";
import type { Entry } from "../../format/entry.ts";
import { decodeEntries, decompressPayload } from "../../format/payload.ts";
import { type Body, type Content, contentOf, join } from "../spool/body.ts";
import type { BodyQueue } from "../spool/body-queue.ts";
import { type ChainPosition, genesisPosition, positionAfter } from "./chain-position.ts";
import { crashPoint } from "../../std/crash-point.ts";
import type { EntryStream } from "../spool/entry-stream.ts";
import type { Identity } from "../identity.ts";
import { contentOfEntries, type Sealed, seal } from "./seal.ts";
import { SealedLog, type SealedFrame } from "./sealed-log.ts";

export interface NodeChainOptions {
  readonly identity: Identity;
  readonly stream: EntryStream;
  readonly log: SealedLog;
  /** Where `log` lives: it is made anew there when it is removed under us. */
  readonly directory: string;
}

export interface EpochStart {
  /** The server's head, after which the epoch begins. */
  readonly after: Pick<ChainPosition, "epoch" | "head">;
  /** `rollback` first, and what else the node has to admit. */
  readonly entries: readonly Entry[];
  /** A sealed batch that the server is known not to have: its entries go into the new epoch. */
  readonly again?: SealedFrame | undefined;
  /** Our state is a copy: what its former run had numbered below, the run after the copy delivered. */
  readonly deliveredTo?: number | undefined;
}

export class NodeChain {
  readonly #options: NodeChainOptions;
  #log: SealedLog;
  #position: ChainPosition;
  #pending: SealedFrame | undefined;
  #unsynced = false;

  constructor(options: NodeChainOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#position = options.log.position ?? genesisPosition(options.identity.publicKey);
  }

  get position(): ChainPosition {
    return this.#position;
  }

  get last(): SealedFrame | undefined {
    return this.#log.last;
  }

  successorOf(head: Uint8Array): SealedFrame | undefined {
    return this.#log.successorOf(head);
  }

  /** From now on this batch and those after it are to be sent (again). */
  resumeFrom(frame: SealedFrame | undefined): void {
    this.#pending = frame;
  }

  /** The batch to send now: an unacknowledged one, or the next one sealed. May be called again for the same. */
  async next(): Promise<SealedFrame | undefined> {
    this.#pending ??= this.#sealQueued();
    if (this.#pending !== undefined) await this.#makeDurable();
    return this.#pending;
  }

  /** Signs that there was nothing to say. */
  async heartbeat(): Promise<SealedFrame> {
    const { stream } = this.#options;
    const content = contentOfEntries([], this.#position.nextSeq, stream.moment());
    this.#pending = this.#append(this.#seal(content));
    await this.#makeDurable();
    return this.#pending;
  }

  /** The server has it. */
  acknowledged(): void {
    const sent = this.#pending;
    const isLast = sent === undefined || sent === this.#log.last;
    this.#pending = isLast ? undefined : this.#log.successorOf(hashAfter(sent));
    if (isLast) this.#log.prune();
  }

  /** Signs a new epoch's first batch; it is the next to be sent. Returns its first number. */
  beginEpoch(start: EpochStart): number {
    const { after } = start;
    const position = { ...this.#position, epoch: after.epoch + 1, batches: 0, head: after.head };
    const content = this.#epochContent(start);
    this.#pending = this.#append(this.#seal(content, position, FLAG.epochStart));
    return content.seqFirst;
  }

  /** Writes the chain's end again when somebody removed its file under us. */
  checkSpool(): void {
    if (!this.#log.isGone()) return;
    const { last } = this.#log;
    const fresh = SealedLog.open(this.#options.directory);
    try {
      if (last === undefined) fresh.anchor(this.#position);
      else fresh.append({ frame: last.frame, position: this.#position });
    } catch (error) {
      fresh.close();
      throw error;
    }
    this.#log.close();
    this.#log = fresh;
    this.#unsynced = true;
  }

  async end(): Promise<void> {
    await this.#log.sync();
    this.#log.close();
  }

  #sealQueued(): SealedFrame | undefined {
    const { queue } = this.#options.stream;
    const taken = queue.take();
    if (taken === undefined) return undefined;
    const frame = this.#append(this.#seal(taken.content));
    queue.release(taken);
    return frame;
  }

  #seal(content: Content, position = this.#position, flags = 0): Sealed {
    return seal(content, position, { identity: this.#options.identity, flags });
  }

  #append(sealed: Sealed): SealedFrame {
    this.checkSpool();
    const frame = this.#log.append(sealed);
    this.#position = sealed.position;
    this.#unsynced = true;
    crashPoint("agent: frame appended");
    return frame;
  }

  async #makeDurable(): Promise<void> {
    if (!this.#unsynced) return;
    await this.#log.sync();
    this.#unsynced = false;
    crashPoint("agent: frame synced");
    this.#options.stream.queue.prune();
  }

  /**
   * The epoch's first entries take the numbers just below what is sent after them: in a new epoch
   * those are free, and entries that were numbered while nobody knew of the epoch keep theirs.
   */
  #epochContent({ entries, again, deliveredTo = 0 }: EpochStart): Content {
    const { stream } = this.#options;
    const moment = stream.moment();
    passOverDelivered(stream.queue, this.#position.nextSeq, deliveredTo);
    stream.closeBody();
    if (again !== undefined && again.header.seqFirst >= entries.length) {
      const first = contentOfEntries(entries, again.header.seqFirst - entries.length, moment);
      return join(first, contentOfFrame(again));
    }
    const first = this.#firstWithRoomBelow(entries.length);
    const seqFirst = first === undefined ? stream.skip(entries.length) : first - entries.length;
    return contentOfEntries(entries, seqFirst, moment);
  }

  /** A node hardly begun has no free numbers below its first entries: those are given up. */
  #firstWithRoomBelow(room: number): number | undefined {
    const { stream } = this.#options;
    for (;;) {
      const taken = stream.queue.take();
      if (taken === undefined || taken.content.seqFirst >= room) return taken?.content.seqFirst;
      stream.giveUp(taken);
    }
  }
}

/**
 * The bodies that were waiting when the state was copied are at the server already: sent again they
 * would be connections that only this end recorded. A run after the copy begins with a `start`; what
 * it recorded is its own, whatever its numbers.
 */
function passOverDelivered(queue: BodyQueue, sealedTo: number, deliveredTo: number): void {
  let next = sealedTo;
  queue.passOver((body) => {
    if (body.seqFirst !== next || body.seqFirst + body.count > deliveredTo) return false;
    next += body.count;
    return !beginsRun(body);
  });
}

function beginsRun({ payload, rawBytes, seqFirst, count }: Body): boolean {
  const entries = decodeEntries(decompressPayload(payload, rawBytes), {
    seqFirst,
    entryCount: count,
  });
  return entries.some(({ kind }) => kind === "start");
}

function hashAfter(frame: SealedFrame): Uint8Array {
  return positionAfter(frame.header).head;
}

function contentOfFrame({ header, frame }: SealedFrame): Content {
  const { payload } = decodeFrame(frame);
  const { seqFirst, entryCount: count, firstAtMs, lastAtMs, closedAtMs, completeToMs } = header;
  const { bootAtMs, rawBytes } = header;
  const flags = header.flags & (FLAG.stop | FLAG.optOut);
  const times = { firstAtMs, lastAtMs, endAtMs: 0, closedAtMs, completeToMs, bootAtMs };
  return contentOf({ seqFirst, count, rawBytes, flags, payload, ...times });
}
