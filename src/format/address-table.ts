/**
 * Addresses as small numbers: 0, 1, 2, … in the order in which they were first seen. Whoever holds
 * millions of halves keeps numbers, and the scanner finds them by the bytes of a line, without
 * making a string.
 *
 * Only canonical text gets a number, and it is checked when it is first seen. Numbers are valid
 * until `clear`. The table has no bound of its own: one batch adds at most two addresses per entry
 * (and two more per reply), so an owner that looks at `size` between batches is never far past its
 * own limit. Past it, the owner takes a new table, gives it what it still holds (`textOf`,
 * `numberOf`), and drops the old one.
 */
import { randomInt } from "node:crypto";
import { isCanonicalAddress } from "./entry-value.ts";
import { ENTRIES_PER_BATCH_MAX } from "./limits.ts";

/** Longest canonical text, `ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`. */
export const ADDRESS_CHARS_MAX = 39;

/** What one batch can add, inclusive: two of every open; those of a reply get no number. */
export const ADDRESSES_PER_BATCH_MAX = 2 * ENTRIES_PER_BATCH_MAX;

/** Addresses that an empty table has room for. */
const ROOM_MIN = 256;
/** A slot is two words: the hash, and the number plus one, which is 0 in an empty slot. At most half of the slots are taken. */
const SLOT_WORDS = 2;
const SLOT_WORDS_PER_ADDRESS = SLOT_WORDS * 2;
/** Room for text is made by this much, or doubled. */
const BYTES_PER_ADDRESS = 16;

export class AddressTable {
  readonly #seed: number;
  #slots = new Int32Array(ROOM_MIN * SLOT_WORDS_PER_ADDRESS);
  /** All texts, one after the other. */
  #bytes = new DataView(new ArrayBuffer(ROOM_MIN * BYTES_PER_ADDRESS));
  /** Where the text of a number begins, and the next one's, its end. */
  #starts = new Uint32Array(ROOM_MIN + 1);
  /** Those that were asked for, so that equal addresses are one string. */
  #texts: (string | undefined)[] = [];
  #size = 0;

  /**
   * The seed decides which addresses share a slot, and nothing that can be seen but time. Chance,
   * because whoever knew it could choose addresses that all share one.
   */
  constructor(seed: number = randomInt(2 ** 32)) {
    this.#seed = seed | 0;
  }

  /** How many addresses have a number: 0…size, exclusive. */
  get size(): number {
    return this.#size;
  }

  /** The number of the text in `start`…`end` (exclusive); −1 when it is no canonical address. */
  numberOfBytes(bytes: DataView, start: number, end: number): number {
    const hash = hashOf(bytes, start, end, this.#seed);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + SLOT_WORDS) & mask) {
      const next = slots[slot + 1] ?? 0;
      if (next === 0) return this.#add(hash, bytes, start, end);
      if (slots[slot] === hash && this.#holds(next - 1, bytes, start, end)) return next - 1;
    }
  }

  /** The same for a text. */
  numberOf(text: string): number {
    if (text.length > ADDRESS_CHARS_MAX) return -1;
    const { buffer, byteOffset, length } = Buffer.from(text);
    return this.numberOfBytes(new DataView(buffer, byteOffset, length), 0, length);
  }

  /** The text of a number that this table gave. */
  textOf(number: number): string {
    const known = this.#texts[number];
    if (known !== undefined) return known;
    if (!(number >= 0 && number < this.#size)) throw new RangeError(`no address ${number}`);
    const text = textIn(this.#bytes, this.#starts[number] ?? 0, this.#starts[number + 1] ?? 0);
    this.#texts[number] = text;
    return text;
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.#slots = new Int32Array(ROOM_MIN * SLOT_WORDS_PER_ADDRESS);
    this.#bytes = new DataView(new ArrayBuffer(ROOM_MIN * BYTES_PER_ADDRESS));
    this.#starts = new Uint32Array(ROOM_MIN + 1);
    this.#texts = [];
    this.#size = 0;
  }

  #holds(number: number, bytes: DataView, start: number, end: number): boolean {
    const own = this.#bytes;
    const from = this.#starts[number] ?? 0;
    if ((this.#starts[number + 1] ?? 0) - from !== end - start) return false;
    const last = end - 4;
    if (last < start) return this.textOf(number) === textIn(bytes, start, end);
    for (let at = start, there = from; at < last; at += 4, there += 4) {
      if (own.getInt32(there, true) !== bytes.getInt32(at, true)) return false;
    }
    return own.getInt32(from + last - start, true) === bytes.getInt32(last, true);
  }

  #add(hash: number, bytes: DataView, start: number, end: number): number {
    if (end - start > ADDRESS_CHARS_MAX) return -1;
    const text = textIn(bytes, start, end);
    if (!isCanonicalAddress(text)) return -1;
    const from = this.#starts[this.#size] ?? 0;
    const to = from + end - start;
    if (to > this.#bytes.byteLength) this.#bytes = doubled(this.#bytes);
    for (let at = start; at < end; at++)
      this.#bytes.setUint8(from + at - start, bytes.getUint8(at));
    if ((this.#size + 1) * SLOT_WORDS_PER_ADDRESS > this.#slots.length) this.#grow();
    const number = this.#size++;
    this.#starts[number + 1] = to;
    place(this.#slots, hash, number);
    return number;
  }

  #grow(): void {
    const before = this.#slots;
    const slots = new Int32Array(before.length * 2);
    for (let slot = 0; slot < before.length; slot += SLOT_WORDS) {
      const next = before[slot + 1] ?? 0;
      if (next !== 0) place(slots, before[slot] ?? 0, next - 1);
    }
    const starts = new Uint32Array((this.#starts.length - 1) * 2 + 1);
    starts.set(this.#starts);
    this.#slots = slots;
    this.#starts = starts;
  }
}

function place(slots: Int32Array, hash: number, number: number): void {
  const mask = slots.length - 1;
  let slot = (hash << 1) & mask;
  while (slots[slot + 1] !== 0) slot = (slot + SLOT_WORDS) & mask;
  slots[slot] = hash;
  slots[slot + 1] = number + 1;
}

function doubled(bytes: DataView): DataView<ArrayBuffer> {
  const larger = new Uint8Array(bytes.byteLength * 2);
  larger.set(new Uint8Array(bytes.buffer));
  return new DataView(larger.buffer);
}

function textIn(bytes: DataView, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/**
 * 32 bits, with the multipliers and the last mixing of MurmurHash3. Four bytes at a time, where the
 * last four may overlap those before them.
 */
function hashOf(bytes: DataView, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  const last = end - 4;
  if (last >= start) {
    for (let at = start; at < last; at += 4) {
      hash = Math.imul(hash ^ bytes.getInt32(at, true), 0xcc9e2d51);
      hash ^= hash >>> 15;
    }
    hash ^= bytes.getInt32(last, true);
  } else {
    for (let at = start; at < end; at++) hash = (hash << 8) ^ bytes.getUint8(at);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
