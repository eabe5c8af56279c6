/**
 * The short way for the lines that a mesh sends by the million: an open without rare parts, and its
 * update, close and account. Read straight from the payload's bytes into the numbers of a block,
 * without the arrays, strings and objects that JSON.parse would make of them.
 *
 * It takes exactly the canonical spelling and nothing else. Whatever it does not take, right or
 * wrong, is left to decodeLine, which also knows what to say about it.
 */
import { ADDRESS_CHARS_MAX, type AddressTable } from "./address-table.ts";
import { ENTRY_FLAG, type EntryBlock, KIND, SHIFT, WORD } from "./entry-block.ts";
import { CONNECTION_STATES } from "./entry.ts";
import type { LinePosition } from "./entry-line.ts";
import { isTimeMs } from "./entry-value.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const BRACKET = 0x5d;
const PORT_MAX = 65_535;
/** Fifteen digits are always exact; longer numbers take the long way. */
const DIGITS_MAX = 15;

const HEADS = {
  open: Buffer.from('["open",'),
  update: Buffer.from('["update",'),
  close: Buffer.from('["close",'),
  account: Buffer.from('["account",'),
} as const;

/** By its state: the characters as the digits of one number, the last one lowest. */
const STATE_CODES = Int32Array.from(CONNECTION_STATES, (state) =>
  Buffer.from(state).reduce((code, byte) => (code << 8) | byte, 0),
);

/**
 * Reads one payload, which must end with a newline, from front to back: nothing passes a newline,
 * so nothing reads past the end.
 */
export class ConnectionScanner {
  readonly #raw: Uint8Array;
  readonly #addresses: AddressTable;
  #at = 0;
  #failed = false;

  constructor(raw: Uint8Array, addresses: AddressTable) {
    this.#raw = raw;
    this.#addresses = addresses;
  }

  /**
   * Writes the line that begins at `start` into the block's next record, which its caller makes
   * count. Where the line after it begins, or −1: then ask decodeLine.
   */
  scan(start: number, position: LinePosition, block: EntryBlock): number {
    this.#at = start;
    this.#failed = false;
    const kind = this.#kind(start);
    if (kind === -1) return -1;
    const atMs = this.#integer() + position.previousAtMs;
    this.#expect(COMMA);
    if (this.#failed || !isTimeMs(atMs)) return -1;
    const base = block.next();
    const { words } = block;
    words[base + WORD.seq] = position.seq;
    words[base + WORD.atMs] = atMs;
    if (kind === KIND.open) this.#open(words, base);
    else this.#amendment(kind, words, base);
    this.#expect(BRACKET);
    this.#expect(NEWLINE);
    return this.#failed ? -1 : this.#at;
  }

  #kind(start: number): number {
    switch (this.#raw[start + 2]) {
      case 0x6f:
        return this.#begins(HEADS.open) ? KIND.open : -1;
      case 0x63:
        return this.#begins(HEADS.close) ? KIND.close : -1;
      case 0x61:
        return this.#begins(HEADS.account) ? KIND.account : -1;
      case 0x75:
        return this.#begins(HEADS.update) ? KIND.update : -1;
      default:
        return -1;
    }
  }

  #begins(head: Uint8Array): boolean {
    const raw = this.#raw;
    const start = this.#at;
    for (let at = 0; at < head.length; at++) if (raw[start + at] !== head[at]) return false;
    this.#at = start + head.length;
    return true;
  }

  #open(words: Float64Array, base: number): void {
    const role = this.#role();
    this.#expect(COMMA);
    const protocol = this.#small(255);
    words[base + WORD.head] = KIND.open | (role << SHIFT.role) | (protocol << SHIFT.protocol);
    this.#expect(COMMA);
    words[base + WORD.initiatorAddress] = this.#address();
    this.#expect(COMMA);
    words[base + WORD.initiatorPort] = this.#small(PORT_MAX);
    this.#expect(COMMA);
    words[base + WORD.responderAddress] = this.#address();
    this.#expect(COMMA);
    words[base + WORD.responderPort] = this.#small(PORT_MAX);
    words[base + WORD.rare] = -1;
  }

  #amendment(kind: number, words: Float64Array, base: number): void {
    const seq = words[base + WORD.seq] ?? 0;
    const distance = this.#natural(seq);
    if (distance < 1) this.#failed = true;
    words[base + WORD.openSeq] = seq - distance;
    this.#expect(COMMA);
    words[base + WORD.ageMs] = this.#natural(words[base + WORD.atMs] ?? 0);
    this.#expect(COMMA);
    const state = this.#state();
    this.#expect(COMMA);
    const flags = this.#small(3);
    // Only a close is inferred: the long way refuses the others.
    if (kind !== KIND.close && (flags & ENTRY_FLAG.inferred) !== 0) this.#failed = true;
    const counted = this.#raw[this.#at] === COMMA ? 1 : 0;
    words[base + WORD.head] =
      kind | (flags << SHIFT.flags) | (state << SHIFT.state) | (counted << SHIFT.counted);
    if (counted === 1) this.#counters(words, base);
    else words.fill(0, base + WORD.initiatorPackets, base + WORD.responderBytes + 1);
    words[base + WORD.initiatorPayload] = -1;
    words[base + WORD.responderPayload] = -1;
  }

  #counters(words: Float64Array, base: number): void {
    for (let word = base + WORD.initiatorPackets; word <= base + WORD.responderBytes; word++) {
      this.#expect(COMMA);
      words[word] = this.#natural(Number.MAX_SAFE_INTEGER);
    }
  }

  #role(): number {
    this.#expect(QUOTE);
    const letter = this.#raw[this.#at];
    const role = letter === 0x69 ? 0 : letter === 0x72 ? 1 : letter === 0x66 ? 2 : -1;
    if (role === -1) this.#failed = true;
    else this.#at++;
    this.#expect(QUOTE);
    return role;
  }

  #state(): number {
    this.#expect(QUOTE);
    const raw = this.#raw;
    let at = this.#at;
    let code = 0;
    // Control characters and the quote lie below all letters, so this ends with the line.
    for (let byte = raw[at] ?? 0; byte > QUOTE; byte = raw[at] ?? 0) {
      // More than four bytes push the first ones out, so they are counted below.
      code = (code << 8) | byte;
      at++;
    }
    const state = at - this.#at > 4 ? -1 : STATE_CODES.indexOf(code);
    if (state === -1) this.#failed = true;
    this.#at = at;
    this.#expect(QUOTE);
    return state;
  }

  #address(): number {
    this.#expect(QUOTE);
    const raw = this.#raw;
    const start = this.#at;
    let at = start;
    while ((raw[at] ?? 0) > QUOTE && at - start <= ADDRESS_CHARS_MAX) at++;
    this.#at = at;
    this.#expect(QUOTE);
    if (this.#failed) return -1;
    const number = this.#addresses.numberOfBytes(raw, start, at);
    if (number === -1) this.#failed = true;
    return number;
  }

  #integer(): number {
    if (this.#raw[this.#at] !== MINUS) return this.#natural(Number.MAX_SAFE_INTEGER);
    this.#at++;
    const value = this.#natural(Number.MAX_SAFE_INTEGER);
    // −0 has another spelling.
    if (value === 0) this.#failed = true;
    return -value;
  }

  /** Digits without a leading zero, at most `max`. */
  #natural(max: number): number {
    const raw = this.#raw;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (;;) {
      const digit = (raw[at] ?? 0) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at++;
    }
    const digits = at - start;
    const leadingZero = digits > 1 && raw[start] === ZERO;
    if (digits === 0 || digits > DIGITS_MAX || leadingZero || value > max) this.#failed = true;
    this.#at = at;
    return value;
  }

  /** The same where five digits are enough, which stay integers. */
  #small(max: number): number {
    const raw = this.#raw;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (; at - start < 6; at++) {
      const digit = (raw[at] ?? 0) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const digits = at - start;
    if (digits === 0 || value > max || (digits > 1 && raw[start] === ZERO)) this.#failed = true;
    this.#at = at;
    return value;
  }

  /** Steps over `code`, and over nothing else. */
  #expect(code: number): void {
    if (this.#raw[this.#at] === code) this.#at++;
    else this.#failed = true;
  }
}
