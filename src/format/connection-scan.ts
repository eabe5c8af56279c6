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
/** As many fit into 32 bits, whichever they are. */
const INT_DIGITS_MAX = 9;

/**
 * How lines begin, as words of four bytes: the first, the second, and the last, which overlaps the
 * second. An open's is two words long.
 */
const word = (head: string, at: number): number => Buffer.from(head).readInt32LE(at);
const OPEN_1 = word('["open",', 0);
const OPEN_2 = word('["open",', 4);
const UPDATE_1 = word('["update",', 0);
const UPDATE_2 = word('["update",', 4);
const UPDATE_3 = word('["update",', 6);
const CLOSE_1 = word('["close",', 0);
const CLOSE_2 = word('["close",', 4);
const CLOSE_3 = word('["close",', 5);
const ACCOUNT_1 = word('["account",', 0);
const ACCOUNT_2 = word('["account",', 4);
const ACCOUNT_3 = word('["account",', 7);
/** Shorter than any line that is taken. */
const HEAD_BYTES_MAX = 12;

/** In the order of `ROLES`. */
const ROLE_LETTERS = Buffer.from("irf");

/** By its number: the characters of a state as the digits of one number, the last one lowest. */
const STATE_CODES = Int32Array.from(CONNECTION_STATES, (state) =>
  Buffer.from(state).reduce((code, byte) => (code << 8) | byte, 0),
);
const STATE_CHARS_MAX = 4;

/**
 * Reads one payload, which must end with a newline. Only the end of a line that is taken steps over
 * a newline, so nothing reads past the end.
 */
export class ConnectionScanner {
  readonly #raw: Uint8Array;
  /** The same bytes. */
  readonly #view: DataView;
  readonly #addresses: AddressTable;
  #at = 0;
  #failed = false;

  constructor(raw: Uint8Array, addresses: AddressTable) {
    this.#raw = raw;
    this.#view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    this.#addresses = addresses;
  }

  /**
   * Writes the line that begins at `start` into the block's next record, which its caller makes
   * count. Returns where the line after it begins, or −1: then ask decodeLine.
   */
  scan(start: number, position: LinePosition, block: EntryBlock): number {
    this.#failed = false;
    const kind = this.#kind(start);
    if (kind === -1) return -1;
    const atMs = this.#time() + position.previousAtMs;
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

  /** A number of `KIND`, or −1; then we stand at the comma after it. */
  #kind(start: number): number {
    const view = this.#view;
    if (start + HEAD_BYTES_MAX > view.byteLength) return -1;
    const first = view.getInt32(start, true);
    const second = view.getInt32(start + 4, true);
    if (first === OPEN_1 && second === OPEN_2) {
      this.#at = start + 7;
      return KIND.open;
    }
    if (first === CLOSE_1 && second === CLOSE_2) {
      this.#at = start + 8;
      return view.getInt32(start + 5, true) === CLOSE_3 ? KIND.close : -1;
    }
    if (first === ACCOUNT_1 && second === ACCOUNT_2) {
      this.#at = start + 10;
      return view.getInt32(start + 7, true) === ACCOUNT_3 ? KIND.account : -1;
    }
    if (first === UPDATE_1 && second === UPDATE_2) {
      this.#at = start + 9;
      return view.getInt32(start + 6, true) === UPDATE_3 ? KIND.update : -1;
    }
    return -1;
  }

  #open(words: Float64Array, base: number): void {
    const role = this.#role();
    const protocol = this.#natural(255);
    words[base + WORD.head] = KIND.open | (role << SHIFT.role) | (protocol << SHIFT.protocol);
    words[base + WORD.initiatorAddress] = this.#address();
    words[base + WORD.initiatorPort] = this.#natural(PORT_MAX);
    words[base + WORD.responderAddress] = this.#address();
    words[base + WORD.responderPort] = this.#natural(PORT_MAX);
    words[base + WORD.rare] = -1;
  }

  #amendment(kind: number, words: Float64Array, base: number): void {
    const seq = words[base + WORD.seq] ?? 0;
    const distance = this.#natural(seq);
    if (distance < 1) this.#failed = true;
    words[base + WORD.openSeq] = seq - distance;
    words[base + WORD.ageMs] = this.#natural(words[base + WORD.atMs] ?? 0);
    const state = this.#state();
    const flags = this.#natural(ENTRY_FLAG.inferred | ENTRY_FLAG.assured);
    // Only a close is inferred: the long way refuses the others.
    if (kind !== KIND.close && (flags & ENTRY_FLAG.inferred) !== 0) this.#failed = true;
    const counted = this.#raw[this.#at] === COMMA ? 1 : 0;
    words[base + WORD.head] =
      kind | (flags << SHIFT.flags) | (state << SHIFT.state) | (counted << SHIFT.counted);
    words[base + WORD.initiatorPackets] = counted === 1 ? this.#natural() : 0;
    words[base + WORD.initiatorBytes] = counted === 1 ? this.#natural() : 0;
    words[base + WORD.responderPackets] = counted === 1 ? this.#natural() : 0;
    words[base + WORD.responderBytes] = counted === 1 ? this.#natural() : 0;
    const weighed = counted === 1 && this.#raw[this.#at] === COMMA;
    words[base + WORD.initiatorPayload] = weighed ? this.#natural() : -1;
    words[base + WORD.responderPayload] = weighed ? this.#natural() : -1;
  }

  #role(): number {
    this.#expect(COMMA);
    this.#expect(QUOTE);
    const letter = this.#raw[this.#at];
    let role = 0;
    while (role < ROLE_LETTERS.length && ROLE_LETTERS[role] !== letter) role++;
    if (role === ROLE_LETTERS.length) this.#failed = true;
    else this.#at++;
    this.#expect(QUOTE);
    return role;
  }

  #state(): number {
    this.#expect(COMMA);
    this.#expect(QUOTE);
    const raw = this.#raw;
    const end = this.#at + STATE_CHARS_MAX;
    let code = 0;
    // A newline and a quote lie below all letters.
    for (let byte = raw[this.#at] ?? 0; byte > QUOTE && this.#at < end; byte = raw[this.#at] ?? 0) {
      code = (code << 8) | byte;
      this.#at++;
    }
    this.#expect(QUOTE);
    let state = 0;
    while (state < STATE_CODES.length && STATE_CODES[state] !== code) state++;
    if (state === STATE_CODES.length) this.#failed = true;
    return state;
  }

  #address(): number {
    this.#expect(COMMA);
    this.#expect(QUOTE);
    const raw = this.#raw;
    const start = this.#at;
    let end = start;
    while ((raw[end] ?? 0) > QUOTE && end - start < ADDRESS_CHARS_MAX) end++;
    this.#at = end;
    this.#expect(QUOTE);
    if (this.#failed) return -1;
    const number = this.#addresses.numberOfBytes(this.#view, start, end);
    if (number === -1) this.#failed = true;
    return number;
  }

  #time(): number {
    if (this.#raw[this.#at + 1] !== MINUS) return this.#natural();
    this.#at += 2;
    const value = this.#digits(Number.MAX_SAFE_INTEGER);
    // −0 has another spelling.
    if (value === 0) this.#failed = true;
    return -value;
  }

  /** A comma, and an integer 0…max. */
  #natural(max = Number.MAX_SAFE_INTEGER): number {
    this.#expect(COMMA);
    return this.#digits(max);
  }

  /** Digits without a leading zero, at most `max`. */
  #digits(max: number): number {
    const raw = this.#raw;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (let digit = (raw[at] ?? 0) - ZERO; digit >>> 0 <= 9; digit = (raw[at] ?? 0) - ZERO) {
      // In 32 bits, which is wrong where there are too many digits: those are read again.
      value = (Math.imul(value, 10) + digit) | 0;
      at++;
    }
    this.#at = at;
    const digits = at - start;
    if (digits > INT_DIGITS_MAX) value = long(raw, start, at);
    const leadingZero = raw[start] === ZERO && digits > 1;
    if (digits === 0 || leadingZero || value > max) this.#failed = true;
    return value;
  }

  /** Steps over `code`, and over nothing else. */
  #expect(code: number): void {
    if (this.#raw[this.#at] === code) this.#at++;
    else this.#failed = true;
  }
}

/** Digits as a number; infinite where there are too many to be exact. */
function long(raw: Uint8Array, start: number, end: number): number {
  if (end - start > DIGITS_MAX) return Number.POSITIVE_INFINITY;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (raw[at] ?? 0) - ZERO;
  return value;
}
