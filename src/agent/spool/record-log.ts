/**
 * Records in numbered segment files: appended at the end, read in order, forgotten by whole files.
 *
 *   record = length u32 ‖ CRC-32 u32 ‖ type u8 ‖ body        length covers type and body, CRC too
 *
 * A write that a crash cut off ends the segment: what follows the last whole record is removed at
 * open. Writes go to the page cache, which outlives the process; `sync` makes them outlive the machine.
 */
import { crc32 } from "node:zlib";
import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writevSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeDirectory } from "../../std/make-directory.ts";
import { dropBytes } from "../../std/node-disk.ts";
import { isMissing, syncDirectorySoon } from "../json-file.ts";

const syncData = promisify(fdatasync);
const PREFIX_BYTES = 9;

export interface LogRecord {
  readonly type: number;
  readonly body: Buffer;
  /** Where the next record begins. */
  readonly next: Cursor;
}

/** A place between two records. */
export interface Cursor {
  readonly segment: number;
  readonly offset: number;
}

export interface RecordLogOptions {
  readonly directory: string;
  /** Files are named `<prefix>-<number>`. */
  readonly prefix: string;
  readonly segmentBytesMax: number;
}

export class RecordLog {
  readonly #options: RecordLogOptions;
  /** Sizes by segment number, ascending; the last is the one that is written. */
  readonly #segments = new Map<number, number>();
  /** Where opening found bytes that are no record. */
  readonly #cut = new Set<number>();
  #active: { fd: number; segment: number };
  #createdUnsynced = true;

  private constructor(options: RecordLogOptions, segments: readonly number[]) {
    this.#options = options;
    const last = segments.at(-1);
    for (const segment of segments) this.#segments.set(segment, this.#sizeAfterRepair(segment));
    this.#active = this.#openSegment(last ?? 0);
  }

  /** Creates the directory where it is missing. */
  static open(options: RecordLogOptions): RecordLog {
    makeDirectory(options.directory);
    const pattern = new RegExp(`^${options.prefix}-(\\d+)$`);
    const segments = readdirSync(options.directory)
      .map((name) => Number(pattern.exec(name)?.[1] ?? -1))
      .filter((segment) => segment >= 0)
      .toSorted((a, b) => a - b);
    return new RecordLog(options, segments);
  }

  /** Bytes on disk. */
  get bytes(): number {
    let sum = 0;
    for (const bytes of this.#segments.values()) sum += bytes;
    return sum;
  }

  /** Numbers of the segments, ascending; the last is being written. */
  get segments(): number[] {
    return [...this.#segments.keys()];
  }

  bytesOf(segment: number): number {
    return this.#segments.get(segment) ?? 0;
  }

  /** Returns the place after the record. Throws what the disk throws; the record is then not there. */
  append(type: number, ...parts: readonly Uint8Array[]): Cursor {
    const size = this.bytesOf(this.#active.segment);
    const length = parts.reduce((sum, part) => sum + part.length, 1);
    if (size > 0 && size + length + PREFIX_BYTES > this.#options.segmentBytesMax) this.#roll();
    const { fd, segment } = this.#active;
    const start = this.bytesOf(segment);
    try {
      writeWhole(fd, [prefixOf(type, length, parts), ...parts], start);
    } catch (error) {
      ftruncateSync(fd, start);
      throw error;
    }
    const offset = start + PREFIX_BYTES - 1 + length;
    this.#segments.set(segment, offset);
    return { segment, offset };
  }

  /** What was appended before survives a power cut once this resolves. */
  async sync(): Promise<void> {
    await syncData(this.#active.fd);
    if (!this.#createdUnsynced) return;
    this.#createdUnsynced = false;
    await syncDirectorySoon(this.#options.directory);
  }

  /** The place before the oldest record. */
  get start(): Cursor {
    return { segment: this.segments[0] ?? 0, offset: 0 };
  }

  /** The record at a place; undefined at the end, and where a file is gone or damaged its rest is skipped. */
  read(at: Cursor): LogRecord | undefined {
    for (let { segment, offset } = at; ; offset = 0) {
      if (offset < this.bytesOf(segment)) {
        const record = this.#readIn(segment, offset);
        if (record !== undefined) return record;
      }
      const next = this.segments.find((other) => other > segment);
      if (next === undefined) return undefined;
      segment = next;
    }
  }

  /** True where a record stood that can no longer be read. */
  isDamagedAt({ segment, offset }: Cursor): boolean {
    return offset < this.bytesOf(segment) && this.#readIn(segment, offset) === undefined;
  }

  /** True when the end of this file was cut at open. */
  wasCut(segment: number): boolean {
    return this.#cut.has(segment);
  }

  /** Forgets a segment's records; the one being written is emptied by moving on to the next. */
  drop(segment: number): void {
    if (segment === this.#active.segment) this.#roll();
    this.#segments.delete(segment);
    rmSync(this.#path(segment), { force: true });
  }

  /** True when somebody removed the file under us: what was in the directory is gone. */
  isGone(): boolean {
    return fstatSync(this.#active.fd).nlink === 0;
  }

  close(): void {
    closeSync(this.#active.fd);
  }

  #roll(): void {
    // Opened first: what cannot be replaced is written on.
    const next = this.#openSegment(this.#active.segment + 1);
    closeSync(this.#active.fd);
    this.#active = next;
  }

  #openSegment(segment: number): { fd: number; segment: number } {
    const fd = openSync(this.#path(segment), "a+", 0o600);
    closeSync(fd);
    const active = { fd: openSync(this.#path(segment), "r+"), segment };
    if (!this.#segments.has(segment)) this.#segments.set(segment, 0);
    this.#createdUnsynced = true;
    return active;
  }

  #readIn(segment: number, offset: number): LogRecord | undefined {
    let fd: number;
    try {
      fd = openSync(this.#path(segment), "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const prefix = readExactly(fd, PREFIX_BYTES, offset);
      if (prefix === undefined) return undefined;
      const length = prefix.readUInt32BE(0);
      if (offset + PREFIX_BYTES - 1 + length > this.bytesOf(segment)) return undefined;
      const body = readExactly(fd, length - 1, offset + PREFIX_BYTES);
      if (body === undefined || !isWhole(prefix, body)) return undefined;
      const next = { segment, offset: offset + PREFIX_BYTES - 1 + length };
      return { type: prefix.readUInt8(8), body, next };
    } finally {
      closeSync(fd);
    }
  }

  /** Cuts what a crash left half-written and returns the size of what is whole. */
  #sizeAfterRepair(segment: number): number {
    const bytes = readFileSync(this.#path(segment));
    const whole = wholeBytes(bytes);
    if (whole < bytes.length) {
      this.#cut.add(segment);
      const fd = openSync(this.#path(segment), "r+");
      ftruncateSync(fd, whole);
      closeSync(fd);
    }
    return whole;
  }

  #path(segment: number): string {
    return join(this.#options.directory, `${this.#options.prefix}-${segment}`);
  }
}

/** A disk that fills up takes a part of a write first; only the write of the rest fails. */
function writeWhole(fd: number, parts: readonly Uint8Array[], start: number): void {
  let at = start;
  for (let rest = [...parts]; rest.length > 0;) {
    const written = writevSync(fd, rest, at);
    at += written;
    rest = dropBytes(rest, written);
  }
}

function prefixOf(type: number, length: number, parts: readonly Uint8Array[]): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(length, 0);
  prefix.writeUInt8(type, 8);
  prefix.writeUInt32BE(checksum(type, parts), 4);
  return prefix;
}

function checksum(type: number, parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => crc32(part, sum), crc32(Uint8Array.of(type)));
}

function isWhole(prefix: Buffer, body: Buffer): boolean {
  return prefix.readUInt32BE(4) === checksum(prefix.readUInt8(8), [body]);
}

function wholeBytes(bytes: Buffer): number {
  let offset = 0;
  while (offset + PREFIX_BYTES <= bytes.length) {
    const end = offset + PREFIX_BYTES - 1 + bytes.readUInt32BE(offset);
    if (end < offset + PREFIX_BYTES || end > bytes.length) break;
    const prefix = bytes.subarray(offset, offset + PREFIX_BYTES);
    if (!isWhole(prefix, bytes.subarray(offset + PREFIX_BYTES, end))) break;
    offset = end;
  }
  return offset;
}

function readExactly(fd: number, length: number, offset: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(length);
  return readSync(fd, buffer, 0, length, offset) === length ? buffer : undefined;
}
