/**
 * A record: what the journal keeps in order. The frame is opaque here.
 *
 *   record = header (36 bytes) ‖ frame (frameBytes), big-endian
 *
 *    0  u32  frameBytes
 *    4  u32  frameCrc: CRC-32 (zlib's) over the frame, started from the segment's salt
 *    8  u8   type: 1 batch, 2 evidence (kept, but outside of its node's chain)
 *    9  u24  zero
 *   12  u32  groupOffset: where in the segment the group starts that this record was written with
 *   16  u64  index
 *   24  u64  receivedMs: the server's clock when it was admitted, Unix ms
 *   32  u32  headerCrc: CRC-32 over bytes 0 … 31, started from the segment's salt
 *
 * A group is written only when everything before it is durable, so a header whose `groupOffset`
 * lies after a damaged place proves that the damage is no torn write. The salt keeps whoever may
 * choose a frame from making it look like a record.
 */
import { crc32 } from "node:zlib";
import { FRAME_BYTES_MAX } from "./limits.ts";

/** What stands before each frame. */
export const RECORD_HEADER_BYTES = 36;
const HEADER_CRC_AT = 32;

const TYPE_CODES = { batch: 1, evidence: 2 } as const;

/** `evidence` is kept, but outside of its node's chain. */
export type RecordType = keyof typeof TYPE_CODES;

/** What the caller appends. */
export interface NewRecord {
  readonly type: RecordType;
  /** Unix ms, an integer ≥ 0. */
  readonly receivedMs: number;
  readonly frame: Uint8Array;
}

export interface JournalRecord extends NewRecord {
  /** 0 for the journal's first record, then contiguous. */
  readonly index: number;
}

/** Where a record stands: part of its header, known before its bytes. */
export interface RecordPlace {
  readonly index: number;
  readonly groupOffset: number;
  readonly salt: number;
}

/** Writes the header into `target` at `at`; returns its crc, which covers the frame's. */
export function encodeRecordHeader(
  target: Buffer,
  at: number,
  record: NewRecord,
  place: RecordPlace,
): number {
  target.writeUInt32BE(record.frame.length, at);
  target.writeUInt32BE(crc32(record.frame, place.salt), at + 4);
  target.writeUInt32BE(TYPE_CODES[record.type] * 0x100_0000, at + 8);
  target.writeUInt32BE(place.groupOffset, at + 12);
  writeUInt64(target, at + 16, place.index);
  writeUInt64(target, at + 24, record.receivedMs);
  const crc = crc32(target.subarray(at, at + HEADER_CRC_AT), place.salt);
  target.writeUInt32BE(crc, at + HEADER_CRC_AT);
  return crc;
}

/** What a record says of itself, checked against `headerCrc`. */
export interface RecordHeader {
  readonly type: RecordType;
  readonly frameBytes: number;
  readonly frameCrc: number;
  readonly groupOffset: number;
  readonly index: number;
  readonly receivedMs: number;
  readonly headerCrc: number;
}

/** Undefined for bytes that are no whole header written with this salt. */
export function decodeRecordHeader(
  bytes: Buffer,
  at: number,
  salt: number,
): RecordHeader | undefined {
  if (bytes.length - at < RECORD_HEADER_BYTES) return undefined;
  const type = typeOf(bytes.readUInt32BE(at + 8));
  if (type === undefined) return undefined;
  const headerCrc = bytes.readUInt32BE(at + HEADER_CRC_AT);
  if (crc32(bytes.subarray(at, at + HEADER_CRC_AT), salt) !== headerCrc) return undefined;
  const frameBytes = bytes.readUInt32BE(at);
  const index = readUInt64(bytes, at + 16);
  const receivedMs = readUInt64(bytes, at + 24);
  if (frameBytes > FRAME_BYTES_MAX || index === undefined || receivedMs === undefined) {
    return undefined;
  }
  return {
    type,
    frameBytes,
    frameCrc: bytes.readUInt32BE(at + 4),
    groupOffset: bytes.readUInt32BE(at + 12),
    index,
    receivedMs,
    headerCrc,
  };
}

/** What the bytes at a place are. */
export type Decoded =
  | {
      readonly kind: "record";
      readonly record: JournalRecord;
      readonly bytes: number;
      readonly headerCrc: number;
      readonly groupOffset: number;
    }
  /** `bytes` end inside the record, which needs this many. */
  | { readonly kind: "short"; readonly bytesNeeded: number }
  | { readonly kind: "bad"; readonly what: string };

/** The record at `at`. Its frame is a view into `bytes`. */
export function decodeRecord(bytes: Buffer, at: number, salt: number): Decoded {
  const left = bytes.length - at;
  if (left < RECORD_HEADER_BYTES) return { kind: "short", bytesNeeded: RECORD_HEADER_BYTES };
  const header = decodeRecordHeader(bytes, at, salt);
  if (header === undefined) return { kind: "bad", what: "no record header is there" };
  const recordBytes = RECORD_HEADER_BYTES + header.frameBytes;
  if (left < recordBytes) return { kind: "short", bytesNeeded: recordBytes };
  const frame = bytes.subarray(at + RECORD_HEADER_BYTES, at + recordBytes);
  if (crc32(frame, salt) !== header.frameCrc) {
    return { kind: "bad", what: "the frame's checksum does not fit" };
  }
  const { index, type, receivedMs, headerCrc, groupOffset } = header;
  return {
    kind: "record",
    record: { index, type, receivedMs, frame },
    bytes: recordBytes,
    headerCrc,
    groupOffset,
  };
}

function typeOf(word: number): RecordType | undefined {
  if (word === TYPE_CODES.batch * 0x100_0000) return "batch";
  if (word === TYPE_CODES.evidence * 0x100_0000) return "evidence";
  return undefined;
}

/** Writes a safe integer; the upper 11 bits stay zero. */
export function writeUInt64(target: Buffer, at: number, value: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}

/** Undefined for what is not a safe integer. */
export function readUInt64(bytes: Buffer, at: number): number | undefined {
  const value = bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
