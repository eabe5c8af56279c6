/**
 * Writes groups of records to the last segment and begins new segments. The order of effects, and
 * what the next start finds after a crash at each step:
 *
 *   begin a segment (the one before it is durable as a whole)
 *     1. file created                 nothing acknowledged is in it; removed, or kept if 2 and 3 got through
 *     2. header written, synced       as 1, or an empty last segment
 *     3. directory synced             an empty last segment; appending goes on in it
 *   write a group
 *     4. records written              none, a torn beginning (cut off) or all of the group; not acknowledged
 *     5. fdatasync                    all of the group; not acknowledged: whoever sent it sends it again
 *     6. appenders told               all of the group, acknowledged
 *
 * Without room for step 4, or for a new segment, what there is of it is taken back, durably, before
 * anybody is told (`journal_full`): a crash meanwhile leaves what one in step 4 does.
 *
 * One group at a time: the next one is written when this one is durable. Any other error leaves the
 * outcome unknown, and the writer must not be used again.
 */
import { join } from "node:path";
import { crashPoint } from "../std/crash-point.ts";
import { isOutOfSpace, type Disk, type DiskFile } from "../std/disk.ts";
import { full } from "./journal-error.ts";
import { COPY_BYTES_MAX } from "./limits.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES, type NewRecord } from "./record.ts";
import type { OpenSegment } from "./recovery.ts";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segment-header.ts";

export interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly dir: string;
  /** A group that would make the segment longer begins a new one, unless the segment is empty. */
  readonly segmentBytesMax: number;
  /** A random unsigned 32-bit number. */
  readonly randomSalt: () => number;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #segment: OpenSegment;

  private constructor(options: SegmentWriterOptions, segment: OpenSegment) {
    this.#options = options;
    this.#segment = segment;
  }

  /** Goes on in `last`, or begins the first segment of an empty directory. */
  static async open(
    options: SegmentWriterOptions,
    last: OpenSegment | undefined,
  ): Promise<SegmentWriter> {
    return new SegmentWriter(options, last ?? (await beginSegment(options, undefined)));
  }

  /** Index of the next record: so many are durable. */
  get endIndex(): number {
    return this.#segment.endIndex;
  }

  /**
   * Durable on return; the first record has index `endIndex` as it was before. Throws `journal_full` when
   * the file system has no room: nothing is written then, and the same may be tried again.
   */
  async write(group: readonly NewRecord[]): Promise<void> {
    await this.#rollBefore(groupBytes(group));
    const segment = this.#segment;
    const { chunks, bytes, lastCrc } = encodeGroup(group, segment);
    crashPoint("journal: before write");
    try {
      await segment.file.append(chunks);
    } catch (cause) {
      if (!isOutOfSpace(cause)) throw cause;
      await segment.file.truncate(segment.endOffset);
      await segment.file.syncData();
      throw full(cause);
    }
    crashPoint("journal: written");
    await segment.file.syncData();
    crashPoint("journal: synced");
    this.#segment = {
      ...segment,
      endOffset: segment.endOffset + bytes,
      endIndex: segment.endIndex + group.length,
      lastCrc,
    };
  }

  async close(): Promise<void> {
    await this.#segment.file.close();
  }

  async #rollBefore(bytes: number): Promise<void> {
    const old = this.#segment;
    if (old.endOffset === SEGMENT_HEADER_BYTES) return;
    if (old.endOffset + bytes <= this.#options.segmentBytesMax) return;
    this.#segment = await beginSegment(this.#options, old);
    await old.file.close();
  }
}

async function beginSegment(
  { disk, dir, randomSalt }: SegmentWriterOptions,
  previous: OpenSegment | undefined,
): Promise<OpenSegment> {
  const header = {
    salt: randomSalt(),
    firstIndex: previous?.endIndex ?? 0,
    previousFirstIndex: previous?.header.firstIndex ?? 0,
    previousBytes: previous?.endOffset ?? 0,
    previousCrc: previous?.lastCrc ?? 0,
  };
  const path = join(dir, segmentName(header.firstIndex));
  let file: DiskFile | undefined;
  try {
    file = await disk.open(path, "create");
    crashPoint("journal: segment created");
    await writeDurably(file, encodeSegmentHeader(header));
    await disk.syncDirectory(dir);
  } catch (cause) {
    if (!isOutOfSpace(cause)) throw cause;
    await file?.close();
    await disk.remove(path);
    await disk.syncDirectory(dir);
    throw full(cause);
  }
  crashPoint("journal: segment in directory");
  return {
    file,
    header,
    endOffset: SEGMENT_HEADER_BYTES,
    endIndex: header.firstIndex,
    lastCrc: 0,
  };
}

async function writeDurably(file: DiskFile, header: Buffer): Promise<void> {
  await file.append([header]);
  crashPoint("journal: segment header written");
  await file.syncData();
  crashPoint("journal: segment header synced");
}

function groupBytes(group: readonly NewRecord[]): number {
  let bytes = 0;
  for (const { frame } of group) bytes += RECORD_HEADER_BYTES + frame.length;
  return bytes;
}

interface EncodedGroup {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly lastCrc: number;
}

/** Headers and short frames go into one buffer, between them long frames as they are. */
function encodeGroup(group: readonly NewRecord[], segment: OpenSegment): EncodedGroup {
  const copied = Buffer.allocUnsafe(copiedBytes(group));
  const chunks: Uint8Array[] = [];
  let at = 0;
  let chunkStart = 0;
  let lastCrc = 0;
  let index = segment.endIndex;
  const place = { groupOffset: segment.endOffset, salt: segment.header.salt };
  for (const record of group) {
    lastCrc = encodeRecordHeader(copied, at, record, { ...place, index });
    at += RECORD_HEADER_BYTES;
    index++;
    if (record.frame.length <= COPY_BYTES_MAX) {
      copied.set(record.frame, at);
      at += record.frame.length;
      continue;
    }
    chunks.push(copied.subarray(chunkStart, at), record.frame);
    chunkStart = at;
  }
  if (at > chunkStart) chunks.push(copied.subarray(chunkStart, at));
  return { chunks, bytes: groupBytes(group), lastCrc };
}

function copiedBytes(group: readonly NewRecord[]): number {
  let bytes = 0;
  for (const { frame } of group) {
    bytes += RECORD_HEADER_BYTES + (frame.length <= COPY_BYTES_MAX ? frame.length : 0);
  }
  return bytes;
}
