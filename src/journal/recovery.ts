/**
 * What a writer does before its first append. Only the last segment can hold bytes that nobody was
 * promised; they may be a torn beginning of a group. Everything else was durable, and if it is not
 * what it was, opening fails and changes nothing.
 *
 *   1. the segments' headers are read and compared  crash: nothing changed
 *   2. the last segment is read to its end          crash: nothing changed
 *   3. a torn tail is cut off                       crash: the tail is there or not; again from 1
 *   4. the last group, or the header alone, is written over itself, and the file is synced: what a
 *      process left in the page cache counts from now on. Without the writing, bytes whose sync
 *      failed before would be passed over by this one  crash: the same bytes; again from 1
 *   5. a last file without header is removed        crash: it is there or not; again from 1
 *   6. the directory is synced                      crash: again from 1
 */
import { join } from "node:path";
import { crashPoint } from "../std/crash-point.ts";
import type { Disk, DiskFile } from "../std/disk.ts";
import { corrupt } from "./journal-error.ts";
import { laterGroup, scanRecords, type Scanned, type ScanPlace } from "./scan.ts";
import { SEGMENT_HEADER_BYTES, segmentName, type SegmentHeader } from "./segment-header.ts";
import { checkSegments, listSegments, readSegmentHeader } from "./segment-list.ts";

/** What opening found and mended, for the server's own log. */
export interface Recovery {
  /** Unacknowledged bytes at the end that were no whole record. */
  readonly tornBytes: number;
  /** A segment that was begun, but got no record, was removed. */
  readonly removedSegment: boolean;
}

/** The last segment, open for appending at its end. */
export interface OpenSegment {
  readonly file: DiskFile;
  readonly header: SegmentHeader;
  readonly endOffset: number;
  /** Index of the next record. */
  readonly endIndex: number;
  /** `headerCrc` of its last record; 0 when it has none. */
  readonly lastCrc: number;
}

export interface Recovered {
  /** Undefined when there is no segment yet. */
  readonly last: OpenSegment | undefined;
  readonly recovery: Recovery;
}

/** The steps above. Throws `journal_corrupt`; then nothing was changed. */
export async function recover(disk: Disk, dir: string): Promise<Recovered> {
  const firstIndices = await listSegments(disk, dir);
  const facts = await checkSegments(disk, dir, firstIndices);
  const unborn = facts !== undefined && facts.header === undefined ? firstIndices.pop() : undefined;
  if (unborn !== undefined && (facts?.bytes ?? 0) > SEGMENT_HEADER_BYTES) {
    throw corrupt(join(dir, segmentName(unborn)), 0, "it has no valid segment header");
  }
  const lastFirstIndex = firstIndices.at(-1);
  if (lastFirstIndex === undefined && unborn !== undefined && unborn > 0) {
    throw corrupt(join(dir, segmentName(unborn)), 0, "all segments before it are missing");
  }
  const opened =
    lastFirstIndex === undefined ? undefined : await openLast(disk, dir, lastFirstIndex, unborn);
  if (unborn !== undefined) await disk.remove(join(dir, segmentName(unborn)));
  await disk.syncDirectory(dir);
  return {
    last: opened?.segment,
    recovery: { tornBytes: opened?.tornBytes ?? 0, removedSegment: unborn !== undefined },
  };
}

/** `successor` is the first index of a file that shows that this segment was complete. */
async function openLast(
  disk: Disk,
  dir: string,
  firstIndex: number,
  successor: number | undefined,
): Promise<{ segment: OpenSegment; tornBytes: number }> {
  const header = await readSegmentHeader(disk, dir, firstIndex);
  const path = join(dir, segmentName(firstIndex));
  const file = await disk.open(path, "append");
  try {
    const { end, lastCrc, groupOffset, damage } = await scanToEnd(file, header);
    const tornBytes = (await file.sizeBytes()) - end.offset;
    if (successor !== undefined && (damage !== undefined || end.index !== successor)) {
      throw corrupt(path, end.offset, damage ?? `it ends before record ${successor}`);
    }
    if (damage !== undefined) await cutTail(file, path, { end, salt: header.salt, damage });
    await writeAgain(file, groupOffset, end.offset);
    await file.syncData();
    const segment = { file, header, endOffset: end.offset, endIndex: end.index, lastCrc };
    return { segment, tornBytes };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface End {
  readonly end: ScanPlace;
  /** Of the last record: its checksum, and where its group starts; 0, the header, when there is none. */
  readonly lastCrc: number;
  readonly groupOffset: number;
  readonly damage: string | undefined;
}

async function scanToEnd(file: DiskFile, header: SegmentHeader): Promise<End> {
  const { salt, firstIndex } = header;
  let end: ScanPlace = { offset: SEGMENT_HEADER_BYTES, index: firstIndex };
  let last = { headerCrc: 0, groupOffset: 0 };
  for (;;) {
    const scanned: Scanned = await scanRecords(file, { ...end, salt, endIndex: Infinity });
    end = scanned.next;
    last = scanned.last ?? last;
    if (scanned.state.kind === "more") continue;
    const damage = scanned.state.kind === "damage" ? scanned.state.what : undefined;
    return { end, lastCrc: last.headerCrc, groupOffset: last.groupOffset, damage };
  }
}

async function cutTail(
  file: DiskFile,
  path: string,
  { end, salt, damage }: { end: ScanPlace; salt: number; damage: string },
): Promise<void> {
  const later = await laterGroup(file, end, salt);
  if (later !== undefined) {
    throw corrupt(path, end.offset, `${damage}, yet at byte ${later} are records written later`);
  }
  crashPoint("journal: before truncating the tail");
  await file.truncate(end.offset);
  crashPoint("journal: tail truncated");
}

/** Everything before the last group is durable for certain; the group is not until this and a sync. */
async function writeAgain(file: DiskFile, fromOffset: number, endOffset: number): Promise<void> {
  const bytes = Buffer.alloc(endOffset - fromOffset);
  await file.pread(bytes, fromOffset);
  if (bytes.length > 0) await file.overwrite(bytes, fromOffset);
}
