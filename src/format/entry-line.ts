/**
 * One entry as one line: a JSON array `[kind, time, …]`, newline-free. Connection entries are
 * positional (connection-line.ts); all others are `[kind, time, {…}]` (entry-object.ts).
 *
 * time is Unix milliseconds in the first line of a batch and the difference to the line before in
 * all others; it may be negative.
 *
 * Every entry has one line only: what the encoder would not have written is refused. That settles
 * in one place what JSON leaves open (spaces, 1.0 and 1e0, −0, duplicate keys, escapes), so that no
 * two readers can understand the same signed bytes differently.
 */
import { decodeAmendment, decodeOpen, encodeAmendment, encodeOpen } from "./connection-line.ts";
import type { Entry } from "./entry.ts";
import { checkObjectEntry } from "./entry-object.ts";
import { badEntry, integer, isTimeMs } from "./entry-value.ts";
import { FormatError } from "./format-error.ts";
import { TIME_MS_END } from "./limits.ts";

/** Where a line stands in its batch: what its relative values refer to. */
export interface LinePosition {
  /** The entry's own number. */
  readonly seq: number;
  /** `atMs` of the line before; 0 for the first line of a batch. */
  readonly previousAtMs: number;
}

/**
 * The line of an entry, without newline. The entry is the caller's own and is not checked, but for
 * lone surrogates in its texts, which UTF-8 cannot carry: they become U+FFFD.
 */
export function encodeLine(entry: Entry, position: LinePosition): string {
  const time = entry.atMs - position.previousAtMs;
  switch (entry.kind) {
    case "open":
      return encodeOpen(entry, time);
    case "update":
    case "close":
    case "account":
      return encodeAmendment(entry, time, position.seq - entry.openSeq);
    default: {
      const { kind, atMs: _, ...rest } = entry;
      return withoutLoneSurrogates(JSON.stringify([kind, time, rest]));
    }
  }
}

/** The inverse, with every value checked. Throws `bad_entry` and says what was expected. */
export function decodeLine(line: string, position: LinePosition): Entry {
  const entry = decodeValues(parseLine(line), position);
  const canonical = encodeLine(entry, position);
  if (line !== canonical) throw otherSpelling(line, canonical);
  return entry;
}

function decodeValues(values: readonly unknown[], { seq, previousAtMs }: LinePosition): Entry {
  const kind = values[0];
  const atMs = integer(values[1], "time") + previousAtMs;
  if (!isTimeMs(atMs)) throw badEntry(`time ${atMs} is outside 0…${TIME_MS_END - 1}`);
  switch (kind) {
    case "open":
      return decodeOpen(values, atMs);
    case "update":
    case "close":
    case "account":
      return decodeAmendment(kind, values, { atMs, seq });
    default:
      return checkObjectEntry(kind, atMs, values);
  }
}

function parseLine(line: string): unknown[] {
  let values: unknown;
  try {
    values = JSON.parse(line);
  } catch (cause) {
    throw new FormatError("bad_entry", "expected a JSON array", { cause });
  }
  if (!Array.isArray(values)) throw badEntry("expected a JSON array");
  return values;
}

/** JSON.stringify writes `\ud…` for a lone surrogate and for nothing else; a doubled backslash before it is text. */
function withoutLoneSurrogates(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replaceAll(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd");
}

function otherSpelling(line: string, canonical: string): FormatError {
  let at = 0;
  while (line[at] === canonical[at]) at++;
  const from = Math.max(0, at - 8);
  return badEntry(
    `not in canonical form at character ${at + 1}: expected ${JSON.stringify(canonical.slice(from, at + 16))}, got ${JSON.stringify(line.slice(from, at + 16))}`,
  );
}
