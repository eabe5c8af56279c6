/** Reading records from a segment file: the one function behind recovery, reading and seeking. */
import type { DiskFile } from "../std/disk.ts";
import { READ_BYTES } from "./limits.ts";
import {
  decodeRecord,
  decodeRecordHeader,
  RECORD_HEADER_BYTES,
  type JournalRecord,
} from "./record.ts";

/** A place between two records of a segment. */
export interface ScanPlace {
  readonly offset: number;
  /** Index of the record that starts there. */
  readonly index: number;
}

export interface ScanRequest extends ScanPlace {
  readonly salt: number;
  /** Records from this index on are not looked at, exclusive. */
  readonly endIndex: number;
  /** About as many bytes are read at once; more for a longer record. Default READ_BYTES. */
  readonly bytesMax?: number;
}

export interface Scanned {
  /** Frames are views into a buffer of this call; nobody reuses it. */
  readonly records: readonly JournalRecord[];
  /** Where each record starts. */
  readonly offsets: readonly number[];
  /** After the last record. */
  readonly next: ScanPlace;
  /** Of the last record; undefined when there was none. */
  readonly last: { readonly headerCrc: number; readonly groupOffset: number } | undefined;
  readonly state: ScanState;
}

/** Why a scan stopped where it did. */
export type ScanState =
  /** There may be more after `next`. */
  | { readonly kind: "more" }
  /** The file ends at `next`, or `endIndex` is reached. */
  | { readonly kind: "end" }
  /** At `next` is something that is not the record expected there. */
  | { readonly kind: "damage"; readonly what: string };

/** The whole records of one read from `request.offset` on; at least one unless the state says why not. */
export async function scanRecords(file: DiskFile, request: ScanRequest): Promise<Scanned> {
  for (let wanted = request.bytesMax ?? READ_BYTES; ;) {
    const bytes = await readBytes(file, request.offset, wanted);
    const atEnd = bytes.length < wanted;
    const first = decodeRecord(bytes, 0, request.salt);
    if (atEnd || first.kind !== "short") return decodeAll(bytes, atEnd, request);
    // First the header tells how long the record is, then the record is read as a whole.
    wanted = first.bytesNeeded;
  }
}

function decodeAll(bytes: Buffer, atEnd: boolean, request: ScanRequest): Scanned {
  const records: JournalRecord[] = [];
  const offsets: number[] = [];
  let at = 0;
  let index = request.index;
  let last: Scanned["last"];
  const stop = (state: ScanState): Scanned => {
    const next = { offset: request.offset + at, index };
    return { records, offsets, next, last, state };
  };
  for (;;) {
    if (index >= request.endIndex || (at === bytes.length && atEnd)) return stop({ kind: "end" });
    const decoded = decodeRecord(bytes, at, request.salt);
    if (decoded.kind === "bad") return stop({ kind: "damage", what: decoded.what });
    if (decoded.kind === "short") {
      if (!atEnd) return stop({ kind: "more" });
      return stop({ kind: "damage", what: "the file ends inside a record" });
    }
    if (decoded.record.index !== index) {
      const what = `record ${decoded.record.index} where ${index} belongs`;
      return stop({ kind: "damage", what });
    }
    records.push(decoded.record);
    offsets.push(request.offset + at);
    last = decoded;
    at += decoded.bytes;
    index++;
  }
}

/**
 * Where, after the damage at `place` of a last segment, a record of a later group stands: proof
 * that the damage hit bytes that were durable. Undefined when there is none. Looks at each byte,
 * since after damage nobody knows where the next record starts.
 */
export async function laterGroup(
  file: DiskFile,
  place: ScanPlace,
  salt: number,
): Promise<number | undefined> {
  const step = READ_BYTES - RECORD_HEADER_BYTES + 1;
  for (let start = place.offset; ; start += step) {
    const bytes = await readBytes(file, start, READ_BYTES);
    for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
      const header = decodeRecordHeader(bytes, at, salt);
      if (header !== undefined && header.groupOffset > place.offset) return start + at;
    }
    if (bytes.length < READ_BYTES) return undefined;
  }
}

async function readBytes(file: DiskFile, offset: number, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(count);
  return bytes.subarray(0, await file.pread(bytes, offset));
}
