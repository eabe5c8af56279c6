/**
 * Reads durable records, in the writer's process or in any other. It never looks past `durableEnd`,
 * so a group that is being written does not disturb it, and it changes nothing.
 */
import { join } from "node:path";
import type { Disk, DiskFile } from "../std/disk.ts";
import { nodeDisk } from "../std/node-disk.ts";
import type { DurableEnd } from "./durable-end.ts";
import { corrupt } from "./journal-error.ts";
import { READ_BYTES } from "./limits.ts";
import type { JournalRecord } from "./record.ts";
import { scanRecords, type Scanned } from "./scan.ts";
import { SEGMENT_HEADER_BYTES, segmentName, type SegmentHeader } from "./segment-header.ts";
import { listSegments, readSegmentHeader } from "./segment-list.ts";
import { SegmentMarks } from "./segment-marks.ts";

export interface JournalReaderOptions {
  readonly dir: string;
  /** Default: the machine's. */
  readonly disk?: Disk;
  readonly durableEnd: DurableEnd;
}

export interface ReadRequest {
  /** Inclusive. */
  readonly fromIndex: number;
  /** About how much is read; at least one record. Default READ_BYTES. */
  readonly bytesMax?: number;
}

interface OpenedSegment {
  readonly path: string;
  readonly file: DiskFile;
  readonly header: SegmentHeader;
}

export class JournalReader {
  readonly #dir: string;
  readonly #disk: Disk;
  readonly #durableEnd: DurableEnd;
  readonly #marks = new SegmentMarks();
  #firstIndices: readonly number[] = [];
  /** The segment read last; reads take turns, so it is not closed under one of them. */
  #opened: OpenedSegment | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JournalReaderOptions) {
    this.#dir = options.dir;
    this.#disk = options.disk ?? nodeDisk();
    this.#durableEnd = options.durableEnd;
  }

  /**
   * Durable records from `fromIndex` on, contiguous, at least one; none when `fromIndex` is not
   * durable yet. Frames are views into a buffer of this call: one that is kept keeps `bytesMax`
   * bytes alive, so copy what stays. Throws `journal_corrupt`.
   */
  readSome(request: ReadRequest): Promise<readonly JournalRecord[]> {
    const reading = this.#turn.then(() => this.#readSome(request));
    this.#turn = reading.catch(() => undefined);
    return reading;
  }

  /** Up to the last record that is durable at the time of the call. */
  async *read(fromIndex: number): AsyncGenerator<JournalRecord, void, void> {
    const endIndex = this.#durableEnd.index;
    for (let next = fromIndex; next < endIndex;) {
      for (const record of await this.readSome({ fromIndex: next })) {
        if (record.index >= endIndex) return;
        yield record;
        next = record.index + 1;
      }
    }
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#opened?.file.close();
    this.#opened = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readSome({ fromIndex, bytesMax = READ_BYTES }: ReadRequest): Promise<JournalRecord[]> {
    const endIndex = this.#durableEnd.index;
    if (fromIndex >= endIndex) return [];
    for (;;) {
      const segment = await this.#segmentOf(fromIndex);
      const found = await this.#scanFor(segment, { fromIndex, endIndex, bytesMax });
      if (found.records.length > 0) return found.records;
      // The segment was the last one when the list was made; the record may be in a newer one.
      const wasListed = this.#firstIndices;
      this.#firstIndices = await listSegments(this.#disk, this.#dir);
      if (this.#firstIndices.at(-1) === wasListed.at(-1)) throw damaged(segment.path, found.last);
    }
  }

  /** The first records from `fromIndex` on; none when the segment ends before it or is damaged there. */
  async #scanFor(
    segment: OpenedSegment,
    { fromIndex, endIndex, bytesMax }: Required<ReadRequest> & { endIndex: number },
  ): Promise<{ records: JournalRecord[]; last: Scanned }> {
    const { firstIndex, salt } = segment.header;
    const start = { offset: SEGMENT_HEADER_BYTES, index: firstIndex };
    let place = this.#marks.nearest(firstIndex, fromIndex) ?? start;
    for (;;) {
      const request = { ...place, salt, endIndex, bytesMax };
      const last: Scanned = await scanRecords(segment.file, request);
      this.#markPlaces(firstIndex, last);
      const records = last.records.filter(({ index }) => index >= fromIndex);
      if (records.length > 0 || last.state.kind !== "more") return { records, last };
      place = last.next;
    }
  }

  #markPlaces(firstIndex: number, { records, offsets }: Scanned): void {
    for (const [i, offset] of offsets.entries()) {
      const index = records[i]?.index;
      if (index !== undefined) this.#marks.add(firstIndex, { offset, index });
    }
  }

  async #segmentOf(index: number): Promise<OpenedSegment> {
    const firstIndex = await this.#firstIndexOf(index);
    if (this.#opened?.header.firstIndex === firstIndex) return this.#opened;
    await this.#opened?.file.close();
    this.#opened = undefined;
    const header = await readSegmentHeader(this.#disk, this.#dir, firstIndex);
    const path = join(this.#dir, segmentName(firstIndex));
    this.#opened = { path, file: await this.#disk.open(path, "read"), header };
    return this.#opened;
  }

  async #firstIndexOf(index: number): Promise<number> {
    if (this.#firstIndices.length === 0) {
      this.#firstIndices = await listSegments(this.#disk, this.#dir);
    }
    const firstIndex = this.#firstIndices.findLast((first) => first <= index);
    if (firstIndex !== undefined) return firstIndex;
    throw corrupt(join(this.#dir, segmentName(0)), 0, `the segment of record ${index} is missing`);
  }
}

function damaged(path: string, { state, next }: Scanned): Error {
  const what = state.kind === "damage" ? state.what : `it ends before record ${next.index}`;
  return corrupt(path, next.offset, what);
}
