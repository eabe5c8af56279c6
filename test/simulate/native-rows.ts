/** Reads back the blocks that are made for the engine, so that a test can see rows without one. */

/** One row by column: numbers and texts; bytes as lower-case hex. */
export type NativeRow = Readonly<Record<string, string | number>>;

/** The rows of one block of ClickHouse's Native format, of the types that the schema uses. */
export function nativeRows(bytes: Buffer): NativeRow[] {
  const reader = new Reader(bytes);
  const columns = reader.varint();
  const count = reader.varint();
  const rows: Record<string, string | number>[] = Array.from({ length: count }, () => ({}));
  for (let column = 0; column < columns; column++) {
    const name = reader.text();
    const read = reader.valueOf(reader.text());
    for (const row of rows) row[name] = read();
  }
  return rows;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.varint();
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  /** How to read the next value of a type. */
  valueOf(type: string): () => string | number {
    const fixed = /^FixedString\((\d+)\)$/.exec(type);
    if (fixed !== null) return () => this.#hex(Number(fixed[1]));
    if (type === "String") return () => this.text();
    const width = type.startsWith("DateTime64") ? 64 : Number(/\d+/.exec(type)?.[0]);
    return width === 64 ? () => this.#wide() : () => this.#number(width / 8, type[0] === "I");
  }

  #hex(length: number): string {
    this.#at += length;
    return this.#bytes.toString("hex", this.#at - length, this.#at);
  }

  #wide(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigInt64LE(this.#at - 8));
  }

  #number(width: number, isSigned: boolean): number {
    this.#at += width;
    const at = this.#at - width;
    return isSigned ? this.#bytes.readIntLE(at, width) : this.#bytes.readUIntLE(at, width);
  }
}
