/** The segment files of a directory: which there are, and that each is the successor of the one before. */
import { join } from "node:path";
import type { Disk } from "../std/disk.ts";
import { corrupt } from "./journal-error.ts";
import {
  decodeSegmentHeader,
  firstIndexOfName,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type SegmentHeader,
} from "./segment-header.ts";

/** First indices of the segments in `dir`, ascending. Other files are left alone. */
export async function listSegments(disk: Disk, dir: string): Promise<number[]> {
  const names = await disk.readdir(dir);
  return names.map(firstIndexOfName).filter((index) => index !== undefined);
}

export interface SegmentFacts {
  readonly bytes: number;
  /** Undefined when the file holds no valid header. */
  readonly header: SegmentHeader | undefined;
}

/** Length and header of the segment whose name says `firstIndex`. */
export async function readSegmentFacts(
  disk: Disk,
  dir: string,
  firstIndex: number,
): Promise<SegmentFacts> {
  const file = await disk.open(join(dir, segmentName(firstIndex)), "read");
  try {
    const bytes = await file.sizeBytes();
    const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const count = await file.pread(head, 0);
    return { bytes, header: decodeSegmentHeader(head.subarray(0, count)) };
  } finally {
    await file.close();
  }
}

/** The header of a segment that must be whole. Throws `journal_corrupt`. */
export async function readSegmentHeader(
  disk: Disk,
  dir: string,
  firstIndex: number,
): Promise<SegmentHeader> {
  const { header } = await readSegmentFacts(disk, dir, firstIndex);
  return requireHeader(header, dir, firstIndex);
}

/**
 * Throws `journal_corrupt` unless the segments follow each other from record 0 on: none missing,
 * none of another length than its successor says. Reads headers only. The last segment may still
 * lack its header; its facts are returned.
 */
export async function checkSegments(
  disk: Disk,
  dir: string,
  firstIndices: readonly number[],
): Promise<SegmentFacts | undefined> {
  let previous: { firstIndex: number; bytes: number } | undefined;
  let facts: SegmentFacts | undefined;
  for (const firstIndex of firstIndices) {
    facts = await readSegmentFacts(disk, dir, firstIndex);
    if (facts.header === undefined && firstIndex === firstIndices.at(-1)) return facts;
    checkSuccession(requireHeader(facts.header, dir, firstIndex), previous, dir);
    previous = { firstIndex, bytes: facts.bytes };
  }
  return facts;
}

function requireHeader(
  header: SegmentHeader | undefined,
  dir: string,
  firstIndex: number,
): SegmentHeader {
  const file = join(dir, segmentName(firstIndex));
  if (header === undefined) throw corrupt(file, 0, "it has no valid segment header");
  if (header.firstIndex !== firstIndex) {
    throw corrupt(file, 16, `it was written as ${segmentName(header.firstIndex)}`);
  }
  return header;
}

function checkSuccession(
  header: SegmentHeader,
  previous: { firstIndex: number; bytes: number } | undefined,
  dir: string,
): void {
  const file = join(dir, segmentName(header.firstIndex));
  if (header.firstIndex > 0 && previous?.firstIndex !== header.previousFirstIndex) {
    throw corrupt(file, 24, `${segmentName(header.previousFirstIndex)} before it is missing`);
  }
  if (previous !== undefined && previous.bytes !== header.previousBytes) {
    throw corrupt(
      join(dir, segmentName(previous.firstIndex)),
      Math.min(previous.bytes, header.previousBytes),
      `it has ${previous.bytes} bytes, but had ${header.previousBytes} when it was closed`,
    );
  }
}

/** The first index of a segment, and the length of its file. */
export interface SegmentLength {
  readonly firstIndex: number;
  readonly bytes: number;
}

/** Of all segments, in their order. */
export async function segmentLengths(disk: Disk, dir: string): Promise<SegmentLength[]> {
  const lengths: SegmentLength[] = [];
  for (const firstIndex of await listSegments(disk, dir)) {
    const { bytes } = await readSegmentFacts(disk, dir, firstIndex);
    lengths.push({ firstIndex, bytes });
  }
  return lengths;
}
