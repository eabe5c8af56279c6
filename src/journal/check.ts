/** Reads a whole journal that nobody writes to: every checksum, every number, every join of two segments. */
import { join } from "node:path";
import type { Disk, DiskFile } from "../std/disk.ts";
import { corrupt } from "./journal-error.ts";
import { scanRecords, type Scanned } from "./scan.ts";
import { SEGMENT_HEADER_BYTES, segmentName, type SegmentHeader } from "./segment-header.ts";
import { checkSegments, listSegments, readSegmentHeader } from "./segment-list.ts";

/** A journal without a fault: how much it holds. */
export interface Checked {
  readonly records: number;
  readonly bytes: number;
}

/** Throws `journal_corrupt` for the first place that is wrong, a torn tail among them. Changes nothing. */
export async function checkJournal(disk: Disk, dir: string): Promise<Checked> {
  const firstIndices = await listSegments(disk, dir);
  await checkSegments(disk, dir, firstIndices);
  let end = { records: 0, bytes: 0, lastCrc: 0 };
  for (const firstIndex of firstIndices) {
    const header = await readSegmentHeader(disk, dir, firstIndex);
    const path = join(dir, segmentName(firstIndex));
    if (firstIndex !== end.records) {
      throw corrupt(path, 16, `it starts with record ${firstIndex}, expected ${end.records}`);
    }
    if (header.previousCrc !== end.lastCrc) {
      throw corrupt(path, 40, "it was written after other records than those before it");
    }
    const file = await disk.open(path, "read");
    try {
      const segment = await checkSegment(file, path, header);
      end = { ...segment, bytes: end.bytes + segment.bytes };
    } finally {
      await file.close();
    }
  }
  return { records: end.records, bytes: end.bytes };
}

async function checkSegment(
  file: DiskFile,
  path: string,
  { firstIndex, salt }: SegmentHeader,
): Promise<{ records: number; bytes: number; lastCrc: number }> {
  let place = { offset: SEGMENT_HEADER_BYTES, index: firstIndex };
  let lastCrc = 0;
  for (;;) {
    const scanned: Scanned = await scanRecords(file, { ...place, salt, endIndex: Infinity });
    place = scanned.next;
    lastCrc = scanned.last?.headerCrc ?? lastCrc;
    if (scanned.state.kind === "damage") throw corrupt(path, place.offset, scanned.state.what);
    if (scanned.state.kind === "end") return { records: place.index, bytes: place.offset, lastCrc };
  }
}
