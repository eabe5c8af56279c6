/**
 * The body that is still being filled. Its lines are in memory and, from the end of the same turn of
 * the event loop, in a file, so that a killed agent finds all but its last instant there again.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
} from "node:fs";
import { encodeLine } from "../../format/entry-line.ts";
import type { Entry } from "../../format/entry.ts";
import { FormatError } from "../../format/format-error.ts";
import { compressPayload, encodeEntries, forEachEntry } from "../../format/payload.ts";
import type { Body, Moment } from "./body.ts";
import { isMissing } from "../json-file.ts";

/** Every write at the end, wherever truncation put that. */
const APPEND_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

export class OpenBody {
  readonly #path: string;
  readonly #append: (fd: number, text: string) => void;
  #fd: number;
  /** What is whole in the file; where a write failed there may be a part of it behind. */
  #wholeBytes = 0;
  #isTorn = false;
  #seqFirst = 0;
  #count = 0;
  #text = "";
  #unwritten = "";
  #firstAtMs = 0;
  #lastAtMs = 0;
  #endAtMs = 0;

  /** Empties the file: read it by `recoverOpenBody` first. `append` is the disk's, for tests. */
  constructor(path: string, append: (fd: number, text: string) => void = appendFileSync) {
    this.#path = path;
    this.#append = append;
    this.#fd = openSync(path, APPEND_NEW, 0o600);
  }

  get count(): number {
    return this.#count;
  }

  /** Characters, which are bytes but for text in log bodies. */
  get size(): number {
    return this.#text.length;
  }

  /** Adds an entry that has just been given `seq`, which follows the one before. */
  add(entry: Entry, seq: number): void {
    if (this.#count === 0) {
      this.#seqFirst = seq;
      this.#firstAtMs = entry.atMs;
      this.#lastAtMs = entry.atMs;
      this.#unwritten = `${seq}\n`;
    }
    const line = `${encodeLine(entry, { seq, previousAtMs: this.#endAtMs })}\n`;
    this.#text += line;
    this.#unwritten += line;
    this.#count++;
    this.#endAtMs = entry.atMs;
    this.#firstAtMs = Math.min(this.#firstAtMs, entry.atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs, entry.atMs);
  }

  /**
   * Writes what was added since the last call that worked. Throws what the disk throws; what it did
   * not take goes before all that follows, or a later start would number the rest as if it were first.
   */
  write(): void {
    if (this.#unwritten === "") return;
    if (this.#isTorn) ftruncateSync(this.#fd, this.#wholeBytes);
    this.#isTorn = true;
    this.#append(this.#fd, this.#unwritten);
    this.#isTorn = false;
    this.#wholeBytes += Buffer.byteLength(this.#unwritten);
    this.#unwritten = "";
  }

  /** The body of what was added. It stays in the file until `clear`, to be found again after a crash. */
  close(moment: Moment, flags: number): Body {
    const raw = Buffer.from(this.#text);
    const body: Body = {
      seqFirst: this.#seqFirst,
      count: this.#count,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      endAtMs: this.#endAtMs,
      ...moment,
      rawBytes: raw.length,
      flags,
      payload: compressPayload(raw),
    };
    this.#count = 0;
    this.#text = "";
    this.#unwritten = "";
    this.#endAtMs = 0;
    return body;
  }

  /** The body is safe elsewhere. Where the file cannot be emptied now, the next write does it first. */
  clear(): void {
    this.#wholeBytes = 0;
    this.#isTorn = true;
    ftruncateSync(this.#fd, 0);
    this.#isTorn = false;
  }

  /** The file was removed under us: a new one, for all lines, which the next write puts there. */
  reopen(): void {
    const fd = openSync(this.#path, APPEND_NEW, 0o600);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#wholeBytes = 0;
    this.#isTorn = false;
    this.#unwritten = this.#count === 0 ? "" : `${this.#seqFirst}\n${this.#text}`;
  }

  end(): void {
    closeSync(this.#fd);
  }
}

/** The body that a killed agent left open: all whole lines. Undefined when there is none. */
export function recoverOpenBody(path: string, moment: Moment): Body | undefined {
  const found = readLines(path);
  if (found === undefined) return undefined;
  const entries = wholeEntries(found);
  if (entries.length === 0) return undefined;
  const times = entries.map((entry) => entry.atMs);
  const raw = Buffer.from(encodeEntries(entries, found.seqFirst));
  return {
    seqFirst: found.seqFirst,
    count: entries.length,
    firstAtMs: times.reduce((a, b) => Math.min(a, b)),
    lastAtMs: times.reduce((a, b) => Math.max(a, b)),
    endAtMs: times.at(-1) ?? 0,
    ...moment,
    rawBytes: raw.length,
    flags: 0,
    payload: compressPayload(raw),
  };
}

interface Lines {
  readonly seqFirst: number;
  readonly raw: Buffer;
}

function readLines(path: string): Lines | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const start = bytes.indexOf(0x0a) + 1;
  const seqFirst = Number(bytes.toString("latin1", 0, Math.max(0, start - 1)));
  if (start === 0 || !Number.isSafeInteger(seqFirst)) return undefined;
  return { seqFirst, raw: bytes.subarray(start, bytes.lastIndexOf(0x0a) + 1) };
}

/** A damaged line ends the body: what follows cannot be numbered. */
function wholeEntries({ seqFirst, raw }: Lines): Entry[] {
  const entries: Entry[] = [];
  try {
    forEachEntry(raw, { seqFirst, entryCount: Number.MAX_SAFE_INTEGER }, (entry) =>
      entries.push(entry),
    );
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return entries;
}
