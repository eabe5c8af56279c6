/**
 * The outside of a zstd frame (RFC 8878 §3.1), read without decompressing. Decoders disagree about
 * what may follow a frame: some stop, some go on with the next, Node's ignores the rest. So a
 * payload is exactly one frame, and this is what makes sure of it.
 */
import { FormatError } from "./format-error.ts";

const MAGIC = 0xfd2fb528;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Bytes of the content size field, by the two top bits of the descriptor. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** Throws `bad_payload` unless `payload` is one whole frame without a dictionary, and nothing else. */
export function checkSingleFrame(payload: Uint8Array): void {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== MAGIC) throw bad("is not a zstd frame");
  const descriptor = bytes.readUInt8(4);
  if ((descriptor & 0b11) !== 0) throw bad("needs a dictionary");
  const end = endOfBlocks(bytes, 5 + fieldBytes(descriptor));
  const hasChecksum = (descriptor & 0b100) !== 0;
  const extra = bytes.length - end - (hasChecksum ? CHECKSUM_BYTES : 0);
  if (extra < 0) throw bad("is cut short");
  if (extra > 0) throw bad(`goes on for ${extra} bytes after its zstd frame`);
}

/** Window descriptor and content size, which follow the frame header's descriptor. */
function fieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] ?? 0;
  if (isSingleSegment) return Math.max(sizeBytes, 1);
  return sizeBytes + 1;
}

function endOfBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    if (at + BLOCK_HEADER_BYTES > bytes.length) throw bad("is cut short");
    const header = bytes.readUIntLE(at, BLOCK_HEADER_BYTES);
    const type = (header >> 1) & 0b11;
    if (type === RESERVED_BLOCK) throw bad("has a block of an unknown type");
    const size = header >> 3;
    at += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size);
    if ((header & 1) !== 0) return at;
  }
}

function bad(reason: string): FormatError {
  return new FormatError("bad_payload", `the payload ${reason}`);
}
