/**
 * The one writer of chains. Whoever accepts a batch (a node's, or the server's own) appends it here,
 * and here alone a head moves.
 *
 * Order of effects for a batch: (1) append is called, (2) the record is durable, (3) the head moves
 * in memory, (4) ack. A crash before 2: the batch may or may not be there, and nobody was told that
 * it is. A crash between 2 and 4: the node sends it again and gets the same receipt. When the
 * outcome of an append is unknown the writer takes nothing more, and `onFatal` ends the process: the
 * next start reads what is true from the journal.
 *
 * The caller lets only one batch of a node be under way: the next one is judged by the head that
 * this one leaves.
 */
import { replaceFile } from "../std/durable-file.ts";
import type { Link } from "./chain.ts";
import type { ChainHeads, NodeChain, Place } from "./chain-heads.ts";
import { IngestError, type Refusal, refused } from "./errors.ts";
import { encodeSnapshot, recoverHeads, type SnapshotFile } from "./head-snapshot.ts";
import type { AppendOptions, JournalPort, RecordType } from "./journal-port.ts";
import { SNAPSHOT_EVERY_BYTES, SNAPSHOT_EVERY_RECORDS } from "./limits.ts";

export interface ChainWriterOptions {
  readonly journal: JournalPort;
  readonly snapshot: SnapshotFile;
  /** Called once. The process must end. */
  readonly onFatal: (error: IngestError) => void;
  /** Default 100,000. */
  readonly snapshotEveryRecords?: number;
}

export type Written = { readonly outcome: "durable"; readonly place: Place } | Refusal;

interface NewRecord {
  readonly type: RecordType;
  readonly receivedMs: number;
  readonly frame: Uint8Array;
}

/** A batch on its way into the journal: the frame is the journal's from there on. */
interface Accepted extends AppendOptions {
  readonly frame: Uint8Array;
  readonly receivedMs: number;
}

export class ChainWriter {
  readonly #options: ChainWriterOptions;
  readonly #heads: ChainHeads;
  readonly #underWay = new Set<string>();
  #failure: IngestError | undefined;
  #recordsSinceSnapshot = 0;
  #bytesSinceSnapshot = 0;
  /** Of the record before `nextIndex`: what a snapshot is tied to. */
  #lastFrame: Uint8Array | undefined;
  /** Resolves, never rejects, when the newest snapshot is written or given up. */
  #snapshot: Promise<void> = Promise.resolve();

  static async open(options: ChainWriterOptions): Promise<ChainWriter> {
    return new ChainWriter(options, await recoverHeads(options.snapshot, options.journal));
  }

  private constructor(options: ChainWriterOptions, heads: ChainHeads) {
    this.#options = options;
    this.#heads = heads;
  }

  /** Why nothing is taken any more. */
  get failure(): IngestError | undefined {
    return this.#failure;
  }

  /** One past the last durable record. */
  get nextIndex(): number {
    return this.#heads.nextIndex;
  }

  /** Durable; undefined before the node's first batch. */
  chain(nodeId: string): NodeChain | undefined {
    return this.#heads.get(nodeId);
  }

  /** Appends a batch that was judged by the node's present head. The frame is the journal's from here on. */
  async accept(
    nodeId: string,
    link: Link,
    { frame, receivedMs, mayUseReserve = false }: Accepted,
  ): Promise<Written> {
    if (this.#underWay.has(nodeId)) {
      throw new IngestError("bad_chain", `a batch of node ${nodeId} is under way already`);
    }
    this.#underWay.add(nodeId);
    try {
      const record = { type: "batch", receivedMs, frame } as const;
      const advance = (index: number) => this.#heads.advance(nodeId, link, index, receivedMs);
      return await this.#append(record, advance, { mayUseReserve });
    } finally {
      this.#underWay.delete(nodeId);
    }
  }

  /** Keeps a frame that is no part of a chain. The index where it is durable; undefined when it was not taken. */
  async keepEvidence(frame: Uint8Array, receivedMs: number): Promise<number | undefined> {
    let kept: number | undefined;
    await this.#append({ type: "evidence", receivedMs, frame }, (index) => {
      this.#heads.skip(index);
      kept = index;
    });
    return kept;
  }

  /** Writes the snapshot, so that the next start is short. Call it when nothing is under way. */
  async close(): Promise<void> {
    await this.#snapshot;
    if (this.#failure === undefined && this.#recordsSinceSnapshot > 0) await this.#takeSnapshot();
  }

  async #append<T>(
    record: NewRecord,
    apply: (index: number) => T,
    options: AppendOptions = {},
  ): Promise<{ readonly outcome: "durable"; readonly place: T } | Refusal> {
    if (this.#failure !== undefined) return journalFailed();
    let index: number;
    try {
      ({ index } = await this.#options.journal.append(record, options));
    } catch (cause) {
      return this.#refused(cause);
    }
    if (index !== this.#heads.nextIndex) {
      return this.#fail(`the journal gave index ${index}, expected ${this.#heads.nextIndex}`);
    }
    const place = apply(index);
    this.#countForSnapshot(record.frame);
    return { outcome: "durable", place };
  }

  #refused(cause: unknown): Refusal {
    const code = (cause as { code?: unknown } | null)?.code;
    switch (code) {
      case "journal_busy":
        return refused("busy", "too much waits for the disk", { retryAfterS: 1 });
      case "journal_full":
        return refused("journal_full", "the journal's disk is full", { retryAfterS: 10 });
      case "journal_closed":
        return refused("journal_failed", "the server is stopping", { retryAfterS: 5 });
      default:
        return this.#fail("the journal failed; the outcome of a record is unknown", cause);
    }
  }

  #fail(message: string, cause?: unknown): Refusal {
    if (this.#failure === undefined) {
      this.#failure = new IngestError("journal_failed", message, { cause });
      this.#options.onFatal(this.#failure);
    }
    return journalFailed();
  }

  #countForSnapshot(frame: Uint8Array): void {
    this.#lastFrame = frame;
    this.#recordsSinceSnapshot++;
    this.#bytesSinceSnapshot += frame.length;
    const recordsMax = this.#options.snapshotEveryRecords ?? SNAPSHOT_EVERY_RECORDS;
    const due =
      this.#recordsSinceSnapshot >= recordsMax || this.#bytesSinceSnapshot >= SNAPSHOT_EVERY_BYTES;
    if (due) this.#snapshot = this.#takeSnapshot();
  }

  /** A failure costs a longer start, nothing else. */
  async #takeSnapshot(): Promise<void> {
    if (this.#lastFrame === undefined) return;
    const { disk, path } = this.#options.snapshot;
    const text = encodeSnapshot(this.#heads, this.#lastFrame);
    this.#recordsSinceSnapshot = 0;
    this.#bytesSinceSnapshot = 0;
    const before = this.#snapshot;
    try {
      await before;
      await replaceFile(disk, path, text);
    } catch {
      // The former snapshot stays; the journal holds everything.
    }
  }
}

export function journalFailed(): Refusal {
  return refused("journal_failed", "the journal took no record; the batch is not accepted", {
    retryAfterS: 10,
  });
}
