/**
 * The name and the first bytes of a segment file. The name is the index of its first record, 20
 * decimal digits and `.seg`. The header ties it to the segment before it, so that a missing, cut or
 * foreign file shows at open without reading what is in it.
 *
 *   header = 48 bytes, big-endian
 *
 *    0  8    magic "tallyseg"
 *    8  u16  version 1
 *   10  u16  zero
 *   12  u32  salt: random; the CRCs of its records start from it
 *   16  u64  firstIndex: as in the name
 *   24  u64  previousFirstIndex: the segment before it; 0 in the first one
 *   32  u64  previousBytes: how long that file is; 0 in the first one
 *   40  u32  previousCrc: the headerCrc of that file's last record; 0 in the first one
 *   44  u32  crc: CRC-32 over bytes 0 … 43
 */
import { crc32 } from "node:zlib";
import { readUInt64, writeUInt64 } from "./record.ts";

/** What every segment file begins with. */
export const SEGMENT_HEADER_BYTES = 48;
const MAGIC = Buffer.from("tallyseg");
const VERSION = 1;
const NAME = /^(\d{20})\.seg$/;

export interface SegmentHeader {
  readonly salt: number;
  readonly firstIndex: number;
  readonly previousFirstIndex: number;
  readonly previousBytes: number;
  readonly previousCrc: number;
}

/** File name of the segment that starts with record `firstIndex`. */
export function segmentName(firstIndex: number): string {
  return `${String(firstIndex).padStart(20, "0")}.seg`;
}

/** The first index that a file name says; undefined for a name that is no segment's. */
export function firstIndexOfName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const index = Number(digits ?? Number.NaN);
  return Number.isSafeInteger(index) ? index : undefined;
}

/** SEGMENT_HEADER_BYTES, as docs/journal.md has them. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16BE(VERSION, 8);
  bytes.writeUInt32BE(header.salt, 12);
  writeUInt64(bytes, 16, header.firstIndex);
  writeUInt64(bytes, 24, header.previousFirstIndex);
  writeUInt64(bytes, 32, header.previousBytes);
  bytes.writeUInt32BE(header.previousCrc, 40);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 44)), 44);
  return bytes;
}

/** Undefined for bytes that are not a whole header of this version. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  if (!bytes.subarray(0, 8).equals(MAGIC) || bytes.readUInt32BE(8) !== VERSION << 16) {
    return undefined;
  }
  if (crc32(bytes.subarray(0, 44)) !== bytes.readUInt32BE(44)) return undefined;
  const firstIndex = readUInt64(bytes, 16);
  const previousFirstIndex = readUInt64(bytes, 24);
  const previousBytes = readUInt64(bytes, 32);
  if (firstIndex === undefined || previousFirstIndex === undefined || previousBytes === undefined) {
    return undefined;
  }
  return {
    salt: bytes.readUInt32BE(12),
    firstIndex,
    previousFirstIndex,
    previousBytes,
    previousCrc: bytes.readUInt32BE(40),
  };
}
