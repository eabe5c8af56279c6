/**
 * Entry lines as bytes, without objects or strings in between: docs/formats.md, written by hand. A
 * test compares it with src/format line by line.
 */

const NEWLINE = 10;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const BRACKET = 0x5d;
/** Longer than any connection line. */
const LINE_BYTES_MAX = 320;

const OPEN = Buffer.from('["open",');
const KINDS = {
  update: Buffer.from('["update",'),
  close: Buffer.from('["close",'),
  account: Buffer.from('["account",'),
} as const;

/** Letters of a role, as they stand in a line. */
export const ROLE = { initiator: 0x69, responder: 0x72, forwarder: 0x66 } as const;

/** End states in the order of their codes. */
export const STATE_NAMES = ["S0", "S1", "S2", "SF", "REJ", "RST", "OTH"] as const;
/** Code of a state: its place in `STATE_NAMES`. */
export const STATE = { S0: 0, S1: 1, S2: 2, SF: 3, REJ: 4, RST: 5, OTH: 6 } as const;
const STATE_BYTES = STATE_NAMES.map((name) => Buffer.from(`"${name}"`));

export interface OpenLine {
  readonly role: number;
  readonly protocol: number;
  /** Addresses as they stand in a line, with their quotes. */
  readonly initiatorIp: Uint8Array;
  readonly initiatorPort: number;
  readonly responderIp: Uint8Array;
  readonly responderPort: number;
  readonly pickup: boolean;
  /** The JSON array of the reply tuple. */
  readonly reply: string | undefined;
}

export interface AmendmentLine {
  readonly kind: keyof typeof KINDS;
  readonly distance: number;
  readonly ageMs: number;
  readonly state: number;
  /** 1 inferred, 2 assured. */
  readonly flags: number;
  readonly initiatorPackets: number;
  /** Negative: not counted, and none of the four is written. */
  readonly initiatorBytes: number;
  readonly responderPackets: number;
  readonly responderBytes: number;
  /** Negative: unknown, and neither of the two is written. */
  readonly initiatorPayload: number;
  readonly responderPayload: number;
}

export class LineWriter {
  count = 0;
  firstAtMs = Number.POSITIVE_INFINITY;
  lastAtMs = 0;
  #bytes: Buffer;
  #at = 0;
  #previousAtMs = 0;

  constructor(bytes = 16_384) {
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  /** What is written, valid until the next write after `clear`. */
  get text(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.count = 0;
    this.firstAtMs = Number.POSITIVE_INFINITY;
    this.lastAtMs = 0;
    this.#at = 0;
    this.#previousAtMs = 0;
  }

  open(atMs: number, line: OpenLine): void {
    this.#begin(OPEN, atMs);
    this.#byte(QUOTE);
    this.#byte(line.role);
    this.#byte(QUOTE);
    this.#next(line.protocol);
    this.#byte(COMMA);
    this.#copy(line.initiatorIp);
    this.#next(line.initiatorPort);
    this.#byte(COMMA);
    this.#copy(line.responderIp);
    this.#next(line.responderPort);
    if (line.pickup || line.reply !== undefined) this.#next(line.pickup ? 1 : 0);
    if (line.reply !== undefined) {
      this.#byte(COMMA);
      this.#at += this.#bytes.write(line.reply, this.#at, "latin1");
    }
    this.#end();
  }

  amendment(atMs: number, line: AmendmentLine): void {
    this.#begin(KINDS[line.kind], atMs);
    this.#number(line.distance);
    this.#next(line.ageMs);
    this.#byte(COMMA);
    this.#copy(STATE_BYTES[line.state] as Buffer);
    this.#next(line.flags);
    if (line.initiatorBytes >= 0) {
      this.#next(line.initiatorPackets);
      this.#next(line.initiatorBytes);
      this.#next(line.responderPackets);
      this.#next(line.responderBytes);
      if (line.initiatorPayload >= 0) {
        this.#next(line.initiatorPayload);
        this.#next(line.responderPayload);
      }
    }
    this.#end();
  }

  /** `[kind, time, members]`; `members` is JSON in its canonical spelling. */
  object(kind: string, atMs: number, members: string): void {
    const head = Buffer.from(`["${kind}",`);
    const rest = Buffer.from(members);
    this.#room(rest.length + LINE_BYTES_MAX);
    this.#begin(head, atMs);
    this.#copy(rest);
    this.#end();
  }

  #begin(head: Uint8Array, atMs: number): void {
    this.#room(LINE_BYTES_MAX);
    this.#copy(head);
    this.#number(atMs - this.#previousAtMs);
    this.#byte(COMMA);
    this.#previousAtMs = atMs;
    if (atMs < this.firstAtMs) this.firstAtMs = atMs;
    if (atMs > this.lastAtMs) this.lastAtMs = atMs;
    this.count++;
  }

  #end(): void {
    this.#byte(BRACKET);
    this.#byte(NEWLINE);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + bytes));
    wider.set(this.text);
    this.#bytes = wider;
  }

  #byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  #copy(bytes: Uint8Array): void {
    const to = this.#bytes;
    const at = this.#at;
    const { length } = bytes;
    for (let index = 0; index < length; index++) to[at + index] = bytes[index] as number;
    this.#at = at + length;
  }

  #next(value: number): void {
    this.#byte(COMMA);
    this.#number(value);
  }

  #number(value: number): void {
    let rest = value;
    if (rest < 0) {
      this.#byte(MINUS);
      rest = -rest;
    }
    let digits = 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits++;
    const end = this.#at + digits;
    for (let at = end - 1; at >= this.#at; at--) {
      const tens = Math.floor(rest / 10);
      this.#bytes[at] = ZERO + (rest - tens * 10);
      rest = tens;
    }
    this.#at = end;
  }
}
