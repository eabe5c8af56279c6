/**
 * All batches in one durable order: the only truth of the server, from which everything else can be
 * derived again. One `Journal` per directory writes; any number of `JournalReader`s read.
 *
 * Appends that come while the disk is busy form the next group, which one write and one fdatasync
 * make durable together (segment-writer.ts). What waits is bounded in bytes.
 */
import { randomInt } from "node:crypto";
import { BoundedQueue } from "../std/bounded-queue.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import { crashPoint } from "../std/crash-point.ts";
import type { Disk, DiskLock } from "../std/disk.ts";
import { nodeDisk } from "../std/node-disk.ts";
import { DurableEnd } from "./durable-end.ts";
import { FreeSpace } from "./free-space.ts";
import { JournalError } from "./journal-error.ts";
import { JournalReader, type ReadRequest } from "./journal-reader.ts";
import {
  FRAME_BYTES_MAX,
  FREE_BYTES_MIN,
  GROUP_BYTES_MAX,
  QUEUE_BYTES_MAX,
  SEGMENT_BYTES_LIMIT,
  SEGMENT_BYTES_MAX,
} from "./limits.ts";
import { RECORD_HEADER_BYTES, type JournalRecord, type NewRecord } from "./record.ts";
import { recover, type Recovery } from "./recovery.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { takeWriterLock } from "./writer-lock.ts";

export interface JournalOptions {
  /** Created when it is not there. Nothing else may write in it. */
  readonly dir: string;
  /** Default: the machine's. */
  readonly disk?: Disk;
  readonly clock?: Clock;
  /** Default SEGMENT_BYTES_MAX. */
  readonly segmentBytesMax?: number;
  /** Default QUEUE_BYTES_MAX; at least one record. */
  readonly queueBytesMax?: number;
  /** With less free space `append` refuses. Default FREE_BYTES_MIN. */
  readonly freeBytesMin?: number;
  /** A random unsigned 32-bit number. */
  readonly randomSalt?: () => number;
  /** Called once when a write or sync failed. Whoever runs the process ends it: a restart recovers. */
  readonly onFailure?: (error: JournalError) => void;
}

interface Waiting {
  readonly record: NewRecord;
  readonly resolve: (result: { readonly index: number }) => void;
  readonly reject: (error: JournalError) => void;
}

export class Journal {
  readonly #lock: DiskLock;
  readonly #writer: SegmentWriter;
  readonly #reader: JournalReader;
  readonly #freeSpace: FreeSpace;
  readonly #onFailure: ((error: JournalError) => void) | undefined;
  readonly #queue: BoundedQueue<Waiting>;
  /** The commit loop while it runs: it alone uses the writer. */
  #committing: Promise<void> | undefined;
  /** Why nothing can be appended any more. */
  #ended: JournalError | undefined;
  #closed: Promise<void> | undefined;
  /** What opening found and mended. */
  readonly recovery: Recovery;
  /** Follow the journal here. */
  readonly durableEnd: DurableEnd;

  private constructor(parts: Parts, options: JournalOptions) {
    this.#lock = parts.lock;
    this.#writer = parts.writer;
    this.recovery = parts.recovery;
    this.durableEnd = new DurableEnd(parts.writer.endIndex);
    this.#reader = new JournalReader({
      dir: options.dir,
      disk: parts.disk,
      durableEnd: this.durableEnd,
    });
    this.#freeSpace = new FreeSpace({
      disk: parts.disk,
      dir: options.dir,
      clock: options.clock ?? systemClock(),
      freeBytesMin: options.freeBytesMin ?? FREE_BYTES_MIN,
    });
    this.#queue = new BoundedQueue(options.queueBytesMax ?? QUEUE_BYTES_MAX);
    this.#onFailure = options.onFailure;
  }

  /**
   * Recovers by itself from any crash. Throws `journal_in_use` when another process writes here,
   * `journal_corrupt` when durable bytes changed; then no file was touched.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const disk = options.disk ?? nodeDisk();
    await disk.mkdir(options.dir);
    const lock = await takeWriterLock(disk, options.dir);
    try {
      const { last, recovery } = await recover(disk, options.dir);
      const writer = await SegmentWriter.open(
        {
          disk,
          dir: options.dir,
          segmentBytesMax: Math.min(
            options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
            SEGMENT_BYTES_LIMIT - GROUP_BYTES_MAX,
          ),
          randomSalt: options.randomSalt ?? (() => randomInt(2 ** 32)),
        },
        last,
      );
      return new Journal({ disk, lock, writer, recovery }, options);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Resolves when the record is durable; indices are contiguous in the order of the calls that were
   * not refused. The frame is the journal's from the call on: do not write to it again. Rejects
   *
   * - at once, nothing written, with `journal_busy`, `journal_full`, `record_too_large`;
   * - with `journal_failed` when the outcome is unknown: the record may be there after a restart.
   *   Every later append rejects with it too, nothing written;
   * - with `journal_closed`, nothing written.
   */
  append(record: NewRecord): Promise<{ readonly index: number }> {
    const refusal = this.#refusal(record);
    if (refusal !== undefined) return Promise.reject(refusal);
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly index: number }>();
    const bytes = RECORD_HEADER_BYTES + record.frame.length;
    if (!this.#queue.offer({ record, resolve, reject }, bytes)) return Promise.reject(busy());
    this.#committing ??= this.#commitAll();
    return promise;
  }

  /** Durable records from `fromIndex` (inclusive) up to the last one at the time of the call. */
  read(fromIndex: number): AsyncIterable<JournalRecord> {
    return this.#reader.read(fromIndex);
  }

  /** See JournalReader.readSome. */
  readSome(request: ReadRequest): Promise<readonly JournalRecord[]> {
    return this.#reader.readSome(request);
  }

  /** Refuses new records, waits for those under way, and lets another process write. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#ended ??= new JournalError("journal_closed", "the journal is closed");
    await this.#committing;
    await this.#reader.close();
    await this.#writer.close();
    await this.#lock.release();
  }

  #refusal({ frame }: NewRecord): JournalError | undefined {
    if (this.#ended !== undefined) return this.#ended;
    if (frame.length > FRAME_BYTES_MAX) {
      return new JournalError(
        "record_too_large",
        `the frame has ${frame.length} bytes, at most ${FRAME_BYTES_MAX} are kept in one record`,
      );
    }
    return undefined;
  }

  /** Runs until nothing waits. Never rejects. */
  async #commitAll(): Promise<void> {
    // One turn of the event loop: what arrived with the first record shares its fdatasync.
    await nextTurn();
    while (this.#queue.length > 0) {
      const group = this.#queue.take(GROUP_BYTES_MAX);
      try {
        await this.#commit(group);
      } catch (cause) {
        this.#fail(group, cause);
        break;
      }
      await nextTurn();
    }
    this.#committing = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let bytes = 0;
    for (const { record } of group) bytes += record.frame.length;
    await this.#freeSpace.check(bytes);
    if (!this.#freeSpace.enough) {
      for (const { reject } of group) reject(full());
      return;
    }
    const firstIndex = this.#writer.endIndex;
    await this.#writer.write(group.map(({ record }) => record));
    for (const [i, { resolve }] of group.entries()) resolve({ index: firstIndex + i });
    this.durableEnd.publish(firstIndex + group.length);
    crashPoint("journal: acknowledged");
  }

  #fail(group: readonly Waiting[], cause: unknown): void {
    const error = new JournalError(
      "journal_failed",
      `writing the journal failed after record ${this.durableEnd.index - 1}: ${messageOf(cause)}; check the disk and restart the server`,
      { cause },
    );
    this.#ended = error;
    const waiting = [...group, ...this.#queue.take(Infinity)];
    for (const { reject } of waiting) reject(error);
    this.#onFailure?.(error);
  }
}

interface Parts {
  readonly disk: Disk;
  readonly lock: DiskLock;
  readonly writer: SegmentWriter;
  readonly recovery: Recovery;
}

function busy(): JournalError {
  return new JournalError("journal_busy", "too much is waiting for the disk; try again later");
}

function full(): JournalError {
  return new JournalError(
    "journal_full",
    "the journal's file system is full; make room, it goes on by itself",
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
