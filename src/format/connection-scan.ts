/**
 * The short way for the lines that a mesh sends by the million: an open without rare parts, and its
 * update, close and account. Read straight from the payload's text, without the arrays and strings
 * that JSON.parse would make of them.
 *
 * It takes exactly the canonical spelling and nothing else. Whatever it does not take, right or
 * wrong, is left to decodeLine, which also knows what to say about it.
 */
import type { Amendment, ConnectionState, Counters, Entry, OpenEntry, Role } from "./entry.ts";
import { CONNECTION_STATES } from "./entry.ts";
import type { LinePosition } from "./entry-line.ts";
import { address, isTimeMs } from "./entry-value.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const BRACKET = 0x5d;
const PORT_MAX = 65_535;
/** Fifteen digits are always exact; longer numbers take the long way. */
const DIGITS_MAX = 15;
/** Longest address text, `ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`. */
const ADDRESS_CHARS_MAX = 39;

const ROLES: Readonly<Record<number, Role>> = {
  0x69: "initiator",
  0x72: "responder",
  0x66: "forwarder",
};

type Kind = "open" | "update" | "close" | "account";
/** By the first letter of the kind. */
const HEADS: Readonly<Record<number, { readonly text: string; readonly kind: Kind }>> = {
  0x6f: { text: '["open",', kind: "open" },
  0x63: { text: '["close",', kind: "close" },
  0x61: { text: '["account",', kind: "account" },
  0x75: { text: '["update",', kind: "update" },
};

/** Reads one text from front to back; `scan` is called for each line in turn. */
export class ConnectionScanner {
  readonly #text: string;
  #at = 0;
  #failed = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The entry in `start`…`end` (exclusive), or undefined: then ask decodeLine. */
  scan(start: number, end: number, position: LinePosition): Entry | undefined {
    const head = HEADS[this.#text.charCodeAt(start + 2)];
    if (head === undefined || !this.#text.startsWith(head.text, start)) return undefined;
    this.#failed = false;
    this.#at = start + head.text.length;
    const atMs = this.#integer() + position.previousAtMs;
    this.#expect(COMMA);
    if (this.#failed || !isTimeMs(atMs)) return undefined;
    const entry =
      head.kind === "open" ? this.#open(atMs) : this.#amendment(head.kind, atMs, position.seq);
    this.#expect(BRACKET);
    return this.#failed || this.#at !== end ? undefined : entry;
  }

  #open(atMs: number): OpenEntry | undefined {
    this.#expect(QUOTE);
    const role = ROLES[this.#text.charCodeAt(this.#at++)];
    this.#expect(QUOTE);
    this.#expect(COMMA);
    const protocol = this.#natural(255);
    this.#expect(COMMA);
    const initiatorIp = this.#address();
    this.#expect(COMMA);
    const initiatorPort = this.#natural(PORT_MAX);
    this.#expect(COMMA);
    const responderIp = this.#address();
    this.#expect(COMMA);
    const responderPort = this.#natural(PORT_MAX);
    if (role === undefined || this.#failed) return this.#fail();
    const tuple = { protocol, initiatorIp, initiatorPort, responderIp, responderPort };
    return { kind: "open", atMs, role, tuple, pickup: false };
  }

  #amendment(kind: Exclude<Kind, "open">, atMs: number, seq: number): Entry | undefined {
    const distance = this.#natural(seq);
    this.#expect(COMMA);
    const ageMs = this.#natural(atMs);
    this.#expect(COMMA);
    const state = this.#state();
    this.#expect(COMMA);
    const flags = this.#natural(kind === "close" ? 3 : 2);
    const counters = this.#text.charCodeAt(this.#at) === COMMA ? this.#counters() : undefined;
    // An update or account is never inferred: flag 1 is the long way's to refuse.
    if (this.#failed || state === undefined || distance < 1) return this.#fail();
    if (kind !== "close" && flags === 1) return this.#fail();
    const head = { atMs, openSeq: seq - distance, ageMs, state, assured: (flags & 2) !== 0 };
    const amendment: Amendment = counters === undefined ? head : { ...head, counters };
    if (kind === "close") return { kind, ...amendment, inferred: (flags & 1) !== 0 };
    return { kind, ...amendment };
  }

  #counters(): Counters {
    this.#expect(COMMA);
    const initiatorPackets = this.#natural(Number.MAX_SAFE_INTEGER);
    this.#expect(COMMA);
    const initiatorBytes = this.#natural(Number.MAX_SAFE_INTEGER);
    this.#expect(COMMA);
    const responderPackets = this.#natural(Number.MAX_SAFE_INTEGER);
    this.#expect(COMMA);
    const responderBytes = this.#natural(Number.MAX_SAFE_INTEGER);
    return { initiatorPackets, initiatorBytes, responderPackets, responderBytes };
  }

  #state(): ConnectionState | undefined {
    const text = this.#text;
    const at = this.#at;
    for (const state of CONNECTION_STATES) {
      const close = at + 1 + state.length;
      if (!text.startsWith(state, at + 1) || text.charCodeAt(close) !== QUOTE) continue;
      if (text.charCodeAt(at) !== QUOTE) break;
      this.#at = close + 1;
      return state;
    }
    return this.#fail();
  }

  #address(): string {
    this.#expect(QUOTE);
    const start = this.#at;
    while (this.#at - start <= ADDRESS_CHARS_MAX && this.#text.charCodeAt(this.#at) !== QUOTE)
      this.#at++;
    const value = this.#text.slice(start, this.#at);
    this.#expect(QUOTE);
    if (this.#failed) return value;
    try {
      return address(value, "address");
    } catch {
      this.#failed = true;
      return value;
    }
  }

  #integer(): number {
    if (this.#text.charCodeAt(this.#at) !== MINUS) return this.#natural(Number.MAX_SAFE_INTEGER);
    this.#at++;
    const value = this.#natural(Number.MAX_SAFE_INTEGER);
    // −0 has another spelling.
    if (value === 0) this.#failed = true;
    return -value;
  }

  /** Digits without a leading zero, at most `max`. */
  #natural(max: number): number {
    const text = this.#text;
    const start = this.#at;
    let value = 0;
    for (;;) {
      const digit = text.charCodeAt(this.#at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      this.#at++;
    }
    const digits = this.#at - start;
    const leadingZero = digits > 1 && text.charCodeAt(start) === ZERO;
    if (digits === 0 || digits > DIGITS_MAX || leadingZero || value > max) this.#failed = true;
    return value;
  }

  #expect(code: number): void {
    if (this.#text.charCodeAt(this.#at++) !== code) this.#failed = true;
  }

  #fail(): undefined {
    this.#failed = true;
    return undefined;
  }
}
