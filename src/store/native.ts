/**
 * ClickHouse's Native format, writing only: columns as contiguous bytes, which the engine reads
 * without parsing. One block = column count, row count, then per column its name, type and values.
 * Little-endian, as the format has it. The engine converts to the table's own types, so that a
 * LowCardinality or Enum column is written as its plain base type.
 */

/** One column under construction. `reset` keeps the memory for the next block. */
export interface Column {
  readonly type: string;
  readonly byteLength: number;
  bytes(): Uint8Array;
  reset(): void;
}

/** A block of the given columns, which must all hold `rows` values. */
export function nativeBlock(columns: Readonly<Record<string, Column>>, rows: number): Buffer {
  const parts: Uint8Array[] = [varint(Object.keys(columns).length), varint(rows)];
  for (const [name, column] of Object.entries(columns)) {
    parts.push(text(name), text(column.type), column.bytes());
  }
  return Buffer.concat(parts);
}

/** Integers of 1, 2, 4 or 8 bytes; 8-byte values must be exact numbers. */
export class IntColumn implements Column {
  readonly type: string;
  readonly #width: 1 | 2 | 4 | 8;
  #buffer: Buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  constructor(type: string, width: 1 | 2 | 4 | 8) {
    this.type = type;
    this.#width = width;
  }

  get byteLength(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length + 8 > this.#buffer.length) this.#buffer = grown(this.#buffer, this.#length, 8);
    const at = this.#length;
    switch (this.#width) {
      case 1:
        this.#buffer[at] = value;
        break;
      case 2:
        this.#buffer[at] = value;
        this.#buffer[at + 1] = value >> 8;
        break;
      case 4:
        this.#buffer.writeInt32LE(value | 0, at);
        break;
      case 8:
        // Two's complement in two words: the low word is the value modulo 2^32, also when negative.
        this.#buffer.writeInt32LE(value | 0, at);
        this.#buffer.writeInt32LE(Math.floor(value / 0x1_0000_0000) | 0, at + 4);
        break;
    }
    this.#length += this.#width;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }
}

/** Values of one fixed number of bytes: FixedString(N), IPv6. */
export class FixedColumn implements Column {
  readonly type: string;
  readonly #width: number;
  #buffer: Buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  constructor(type: string, width: number) {
    this.type = type;
    this.#width = width;
  }

  get byteLength(): number {
    return this.#length;
  }

  push(value: Uint8Array): void {
    if (this.#length + this.#width > this.#buffer.length) {
      this.#buffer = grown(this.#buffer, this.#length, this.#width);
    }
    this.#buffer.set(value, this.#length);
    this.#length += this.#width;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }
}

/** Strings, UTF-8, each with its length in front. */
export class StringColumn implements Column {
  readonly type = "String";
  #buffer: Buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  push(value: string): void {
    const sizeBytesMax = value.length * 3 + 10;
    if (this.#length + sizeBytesMax > this.#buffer.length) {
      this.#buffer = grown(this.#buffer, this.#length, sizeBytesMax);
    }
    if (value.length < 42) return this.#pushShort(value);
    const size = Buffer.byteLength(value);
    this.#length += putVarint(this.#buffer, size, this.#length);
    this.#length += this.#buffer.write(value, this.#length);
  }

  /** At most 41 UTF-16 units are at most 123 bytes: the length fits one byte, written afterwards. */
  #pushShort(value: string): void {
    const size = this.#buffer.write(value, this.#length + 1);
    this.#buffer[this.#length] = size;
    this.#length += 1 + size;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, used + needed));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const out = Buffer.alloc(10);
  return out.subarray(0, putVarint(out, value, 0));
}

/** LEB128; returns the number of bytes written. */
function putVarint(into: Buffer, value: number, at: number): number {
  let rest = value;
  let length = 0;
  for (; rest >= 0x80; length++) {
    into[at + length] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[at + length] = rest;
  return length + 1;
}
