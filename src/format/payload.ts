/** The payload of a batch: its entries as NDJSON, one zstd frame. */
import { zstdCompressSync, zstdDecompressSync, constants } from "node:zlib";
import type { Entry, EntryKind } from "./entry.ts";
import { AddressTable } from "./address-table.ts";
import { EntryBlock, kindAt, toEntry, WORD } from "./entry-block.ts";
import { encodeLine } from "./entry-line.ts";
import { eachLine, type ExpectedEntries } from "./entry-scan.ts";
import { FormatError } from "./format-error.ts";
import { RAW_BYTES_MAX, ZSTD_WINDOW_LOG_MAX } from "./limits.ts";
import { checkSingleFrame } from "./zstd-frame.ts";

/** zstd's own default: higher levels cost the agent more than they save on this input. */
const COMPRESSION_LEVEL = 3;

/** The least that Node takes as a chunk. */
const ZSTD_CHUNK_BYTES_MIN = 64;

/** Input below this has a margin of its own in what zstd may make of it. */
const SMALL_BYTES = 128 * 1024;

/** Entries, numbered from `seqFirst`, as NDJSON text; every line ends with a newline. */
export function encodeEntries(entries: readonly Entry[], seqFirst: number): string {
  let previousAtMs = 0;
  let text = "";
  for (const [index, entry] of entries.entries()) {
    text += `${encodeLine(entry, { seq: seqFirst + index, previousAtMs })}\n`;
    previousAtMs = entry.atMs;
  }
  return text;
}

/** The payload bytes of NDJSON text: one zstd frame. Nothing compresses to nothing. */
export function compressPayload(raw: string | Uint8Array): Buffer {
  if (raw.length === 0) return Buffer.alloc(0);
  return zstdCompressSync(raw, {
    // In one piece: where the output ends with a piece of it, Node's zlib begins a second, empty frame.
    chunkSize: compressedBytesMax(Buffer.byteLength(raw)) + 1,
    params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL },
  });
}

/** What zstd makes of input that does not compress, at most (`ZSTD_COMPRESSBOUND` in zstd.h). */
function compressedBytesMax(rawBytes: number): number {
  const margin = rawBytes < SMALL_BYTES ? (SMALL_BYTES - rawBytes) >> 11 : 0;
  return rawBytes + (rawBytes >> 8) + margin;
}

/**
 * The NDJSON bytes of a payload; never allocates more than `rawBytes`, the size that the header
 * announces. Throws `bad_payload` (not one zstd frame, another size) and `payload_too_large`.
 */
export function decompressPayload(payload: Uint8Array, rawBytes: number): Buffer {
  if (rawBytes > RAW_BYTES_MAX) {
    throw new FormatError(
      "payload_too_large",
      `rawBytes is ${rawBytes}, at most ${RAW_BYTES_MAX} is allowed`,
    );
  }
  if (rawBytes === 0) {
    if (payload.length === 0) return Buffer.alloc(0);
    throw new FormatError("bad_payload", "a batch without entries has no payload");
  }
  checkSingleFrame(payload);
  let raw: Buffer;
  try {
    raw = zstdDecompressSync(payload, {
      maxOutputLength: rawBytes,
      // Room for one byte more in one piece: Node's default of 16 KiB would be filled again and again.
      chunkSize: Math.max(ZSTD_CHUNK_BYTES_MIN, rawBytes + 1),
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
    });
  } catch (cause) {
    throw new FormatError(
      "bad_payload",
      "the payload is not zstd, or holds more than its header announces",
      { cause },
    );
  }
  if (raw.length !== rawBytes) {
    throw new FormatError(
      "bad_payload",
      `the header announces ${rawBytes} bytes, the payload holds ${raw.length}`,
    );
  }
  return raw;
}

/** The addresses of the reader below: no number is held beyond its line. */
const addresses = new AddressTable();
/** Past it they are forgotten when the next payload is read, because nodes may name as many as they like. */
const ADDRESSES_KEPT_MAX = 65_536;

/** Calls `each` for every entry with its `seq`. Throws `bad_entry`, naming the line, or `bad_payload`. */
export function forEachEntry(
  raw: Buffer,
  expected: ExpectedEntries,
  each: (entry: Entry, seq: number) => void,
): void {
  const block = oneRecord();
  eachLine(raw, expected, {
    block,
    addresses,
    scanned: (seq) => each(toEntry(block, 0, addresses), seq),
    decoded: each,
  });
}

/** Checks every entry as `forEachEntry` does, with the same errors, for whoever needs no entries. */
export function checkEntries(
  raw: Buffer,
  expected: ExpectedEntries,
  each: (kind: EntryKind, atMs: number) => void,
): void {
  const block = oneRecord();
  const { words } = block;
  eachLine(raw, expected, {
    block,
    addresses,
    scanned: () => each(kindAt(words, 0), words[WORD.atMs] ?? 0),
    decoded: ({ kind, atMs }) => each(kind, atMs),
  });
}

/** A block whose only record is written again and again. */
function oneRecord(): EntryBlock {
  if (addresses.size > ADDRESSES_KEPT_MAX) addresses.clear();
  return new EntryBlock(1);
}

/** All entries at once; the same errors. */
export function decodeEntries(raw: Buffer, expected: ExpectedEntries): Entry[] {
  const entries: Entry[] = [];
  forEachEntry(raw, expected, (entry) => entries.push(entry));
  return entries;
}
