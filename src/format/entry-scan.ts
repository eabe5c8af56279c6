/**
 * The lines of a payload, one after the other: connection entries as records of numbers by the
 * short way (connection-scan.ts), everything else, and whatever that does not take, by decodeLine.
 */
import { isUtf8 } from "node:buffer";
import type { AddressTable } from "./address-table.ts";
import { ConnectionScanner } from "./connection-scan.ts";
import { type ConnectionEntry, ENTRY_WORDS, type EntryBlock, WORD } from "./entry-block.ts";
import { decodeLine, type LinePosition } from "./entry-line.ts";
import type { Entry } from "./entry.ts";
import { FormatError } from "./format-error.ts";
import { LINE_BYTES_MAX } from "./limits.ts";

/** What the header announces: where the numbers begin, and how many there are. */
export interface ExpectedEntries {
  readonly seqFirst: number;
  readonly entryCount: number;
}

/** Where the entries of a payload go. */
export interface ScannedEntries {
  /** Connection entries are added here. */
  readonly block: EntryBlock;
  /** The block's addresses. */
  readonly addresses: AddressTable;
  /** All other entries as they come: by now the block's `length` counts the connection entries before it. */
  other(entry: Entry, seq: number): void;
}

/**
 * Adds the connection entries of a payload to a block, and hands out the others as they come.
 * Throws `bad_entry`, naming the line, or `bad_payload`; what came before is in the block then.
 */
export function scanEntries(raw: Buffer, expected: ExpectedEntries, into: ScannedEntries): void {
  const { block, addresses } = into;
  eachLine(raw, expected, {
    block,
    addresses,
    scanned: () => void block.length++,
    decoded: (entry, seq) => {
      if (isConnection(entry)) block.add(entry, seq, addresses);
      else into.other(entry, seq);
    },
  });
}

/** What becomes of each line. */
export interface LineReader {
  readonly block: EntryBlock;
  readonly addresses: AddressTable;
  /** The line's record is the block's next one, and is overwritten by the following line unless `length` is raised. */
  scanned(seq: number): void;
  decoded(entry: Entry, seq: number): void;
}

/** The walk itself. Throws as `scanEntries` does, and whatever the reader throws. */
export function eachLine(raw: Buffer, expected: ExpectedEntries, reader: LineReader): void {
  if (!isUtf8(raw)) throw new FormatError("bad_payload", "the payload is not UTF-8");
  const { block, addresses } = reader;
  const end = raw.lastIndexOf("\n") + 1;
  const scanner = new ConnectionScanner(raw.subarray(0, end), addresses);
  const position = { seq: expected.seqFirst, previousAtMs: 0 };
  let index = 0;
  for (let start = 0; start < end; index++) {
    if (index === expected.entryCount) throw wrongCount(expected.entryCount, "more");
    position.seq = expected.seqFirst + index;
    const next = scanner.scan(start, position, block);
    if (next === -1) {
      const newline = raw.indexOf("\n", start);
      const entry = decodeAt(raw.toString("utf8", start, newline), index, position);
      position.previousAtMs = entry.atMs;
      start = newline + 1;
      reader.decoded(entry, position.seq);
    } else {
      position.previousAtMs = block.words[block.length * ENTRY_WORDS + WORD.atMs] ?? 0;
      start = next;
      reader.scanned(position.seq);
    }
  }
  if (end < raw.length) throw new FormatError("bad_payload", "the last line has no newline");
  if (index !== expected.entryCount) throw wrongCount(expected.entryCount, String(index));
}

function isConnection(entry: Entry): entry is ConnectionEntry {
  const { kind } = entry;
  return kind === "open" || kind === "update" || kind === "close" || kind === "account";
}

function decodeAt(line: string, index: number, position: LinePosition): Entry {
  try {
    if (isLong(line)) throw new FormatError("bad_entry", `longer than ${LINE_BYTES_MAX} bytes`);
    return decodeLine(line, position);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError("bad_entry", `line ${index + 1}: ${reason}`, { cause });
  }
}

/** A UTF-16 unit is at most three bytes of UTF-8, so short lines need no counting. */
function isLong(line: string): boolean {
  return line.length * 3 > LINE_BYTES_MAX && Buffer.byteLength(line) > LINE_BYTES_MAX;
}

function wrongCount(announced: number, got: string): FormatError {
  return new FormatError(
    "bad_payload",
    `the header announces ${announced} entries, the payload has ${got}`,
  );
}
