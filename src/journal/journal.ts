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
import { BytePlaces } from "./byte-places.ts";
import { DurableEnd } from "./durable-end.ts";
import { FreeSpace } from "./free-space.ts";
import { full, JournalError } from "./journal-error.ts";
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
import { segmentLengths, type SegmentLength } from "./segment-list.ts";
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
  /** With less free space `append` refuses what may not use the reserve. Default FREE_BYTES_MIN. */
  readonly freeBytesMin?: number;
  /** Besides, what others will need for what is appended already. */
  readonly neededBytes?: () => number;
  /** Frees some of what is reserved for what must be written also when there is no room; false when nothing is left. */
  readonly giveBack?: () => Promise<boolean>;
  /** A random unsigned 32-bit number. */
  readonly randomSalt?: () => number;
  /** Called once when a write or sync failed. Whoever runs the process ends it: a restart recovers. */
  readonly onFailure?: (error: JournalError) => void;
}

/** How one record is appended. */
export interface AppendOptions {
  /** It is written also when there is little room, as long as there is any, or a reserve. */
  readonly mayUseReserve?: boolean;
}

interface Waiting {
  readonly record: NewRecord;
  readonly mayUseReserve: boolean;
  readonly resolve: (result: { readonly index: number }) => void;
  readonly reject: (error: JournalError) => void;
}

export class Journal {
  readonly #lock: DiskLock;
  readonly #writer: SegmentWriter;
  readonly #reader: JournalReader;
  readonly #freeSpace: FreeSpace;
  readonly #places: BytePlaces;
  readonly #giveBack: () => Promise<boolean>;
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
    this.#places = new BytePlaces(parts.segments, parts.writer.endIndex);
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
      ...(options.neededBytes === undefined ? {} : { neededBytes: options.neededBytes }),
    });
    this.#queue = new BoundedQueue(options.queueBytesMax ?? QUEUE_BYTES_MAX);
    this.#giveBack = options.giveBack ?? (() => Promise.resolve(false));
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
      const segments = await segmentLengths(disk, options.dir);
      return new Journal({ disk, lock, writer, recovery, segments }, options);
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
  append(
    record: NewRecord,
    { mayUseReserve = false }: AppendOptions = {},
  ): Promise<{ readonly index: number }> {
    const refusal = this.#refusal(record);
    if (refusal !== undefined) return Promise.reject(refusal);
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly index: number }>();
    const bytes = RECORD_HEADER_BYTES + record.frame.length;
    const waiting = { record, mayUseReserve, resolve, reject };
    if (!this.#queue.offer(waiting, bytes)) return Promise.reject(busy());
    this.#committing ??= this.#commitAll();
    return promise;
  }

  /** How many bytes the records from `index` on take, about. */
  bytesFrom(index: number): number {
    return this.#places.from(index);
  }

  /** There is too little room: what may not use the reserve is refused. As of the last append. */
  get isFull(): boolean {
    return !this.#freeSpace.enough;
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
    let rest = this.#freeSpace.enough ? group : refuseOrdinary(group);
    while (rest.length > 0) {
      const firstIndex = this.#writer.endIndex;
      if (await this.#hasWritten(rest)) return this.#acknowledge(rest, firstIndex);
      rest = refuseOrdinary(rest);
      if (rest.length > 0 && !(await this.#giveBack())) {
        for (const { reject } of rest) reject(full());
        return;
      }
    }
  }

  /** False when there was no room, and nothing is written. */
  async #hasWritten(group: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#writer.write(group.map(({ record }) => record));
      return true;
    } catch (error) {
      if (!(error instanceof JournalError) || error.code !== "journal_full") throw error;
      this.#freeSpace.ranOut();
      return false;
    }
  }

  #acknowledge(group: readonly Waiting[], firstIndex: number): void {
    let bytes = 0;
    for (const [i, { record, resolve }] of group.entries()) {
      bytes += RECORD_HEADER_BYTES + record.frame.length;
      resolve({ index: firstIndex + i });
    }
    this.#places.add(firstIndex + group.length, bytes);
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
  readonly segments: readonly SegmentLength[];
}

function busy(): JournalError {
  return new JournalError("journal_busy", "too much is waiting for the disk; try again later");
}

/** Those that may use the reserve; the others are told that there is no room. */
function refuseOrdinary(group: readonly Waiting[]): readonly Waiting[] {
  for (const { mayUseReserve, reject } of group) if (!mayUseReserve) reject(full());
  return group.filter(({ mayUseReserve }) => mayUseReserve);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
