/**
 * One line of `conntrack -E -o timestamp,extended,id` (an event) or of `conntrack -L -o extended,id`
 * (an entry of the table) as a value. Pure, and made for speed: at 2,000 connections a second the
 * kernel tells 16,000 such lines, so the line is walked once, without regular expressions.
 *
 * Text that is not such a line is refused with a reason, never thrown: it came from outside.
 */
import { internAddress, internState } from "./intern.ts";

export interface ConntrackEvent {
  /** `entry`: a line of the table, not an event. */
  readonly type: "new" | "update" | "destroy" | "entry";
  /** Unix ms by the reading process's clock; absent in a table. */
  readonly atMs: number | undefined;
  /** As in format/protocol.ts. */
  readonly protocol: number;
  /** The kernel's word (`SYN_SENT` …), empty for protocols without states. */
  readonly state: string;
  /** Seconds until the kernel forgets the entry; absent once it did. */
  readonly timeoutS: number | undefined;
  readonly original: Direction;
  readonly reply: Direction;
  readonly unreplied: boolean;
  readonly assured: boolean;
  /** The flow bypasses the tracker (flowtable); its counters may stand still. */
  readonly offload: boolean;
  /** A program removed the entry; it did not time out. */
  readonly userspace: boolean;
  /** Age of the entry in whole seconds, rounded down; absent without `nf_conntrack_timestamp`. */
  readonly ageS: number | undefined;
  /** Not unique over time: a reused tuple often has the same id. */
  readonly id: number;
  /** Conntrack zone, 0 when none is printed. */
  readonly zone: number;
}

/** Ports are 0 where the protocol has none. Counts are absent where the kernel does not count. */
export interface Direction {
  readonly sourceIp: string;
  readonly destinationIp: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly packets: number | undefined;
  readonly bytes: number | undefined;
}

export interface RefusedLine {
  readonly type: "refused";
  readonly reason: "no event type" | "no protocol" | "no tuple" | "bad address" | "no id";
}

/** Reads `bytes` from `start` to `end`, exclusive, without its newline; keeps no reference to them. */
export function parseConntrackLine(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): ConntrackEvent | RefusedLine {
  const cursor: Cursor = { bytes, end, at: start };
  const atMs = readTimestamp(cursor);
  const type = readType(cursor);
  if (type === undefined) return { type: "refused", reason: "no event type" };
  const protocol = readProtocol(cursor);
  if (protocol === undefined) return { type: "refused", reason: "no protocol" };
  const timeoutS = readNumberToken(cursor);
  const fields = emptyFields();
  readFields(cursor, fields);
  if (fields.directions !== 2) return { type: "refused", reason: "no tuple" };
  if (fields.badAddress) return { type: "refused", reason: "bad address" };
  if (fields.id === undefined) return { type: "refused", reason: "no id" };
  return {
    type,
    atMs,
    protocol,
    state: fields.state,
    timeoutS,
    original: fields.original,
    reply: fields.reply,
    unreplied: fields.unreplied,
    assured: fields.assured,
    offload: fields.offload,
    userspace: fields.userspace,
    ageS: fields.ageS,
    id: fields.id,
    zone: fields.zone,
  };
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
}

type MutableDirection = { -readonly [K in keyof Direction]: Direction[K] };

interface Fields {
  original: MutableDirection;
  reply: MutableDirection;
  /** How many `src=` were read: the second one begins the reply. */
  directions: number;
  badAddress: boolean;
  state: string;
  unreplied: boolean;
  assured: boolean;
  offload: boolean;
  userspace: boolean;
  ageS: number | undefined;
  id: number | undefined;
  zone: number;
}

function emptyFields(): Fields {
  return {
    original: emptyDirection(),
    reply: emptyDirection(),
    directions: 0,
    badAddress: false,
    state: "",
    unreplied: false,
    assured: false,
    offload: false,
    userspace: false,
    ageS: undefined,
    id: undefined,
    zone: 0,
  };
}

function emptyDirection(): MutableDirection {
  return {
    sourceIp: "",
    destinationIp: "",
    sourcePort: 0,
    destinationPort: 0,
    packets: undefined,
    bytes: undefined,
  };
}

const SPACE = 0x20;
const TAB = 0x09;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const DOT = 0x2e;
const EQUALS = 0x3d;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/** `[1795464983.742822]`, cut to milliseconds. */
function readTimestamp(cursor: Cursor): number | undefined {
  const { bytes, at } = cursor;
  if (bytes[at] !== OPEN_BRACKET || !isDigit(bytes[at + 1])) return undefined;
  const dot = find(cursor, DOT);
  if (dot === cursor.end) return undefined;
  const millis = digit(bytes[dot + 1]) * 100 + digit(bytes[dot + 2]) * 10 + digit(bytes[dot + 3]);
  cursor.at = find(cursor, CLOSE_BRACKET) + 1;
  return digitsAt(bytes, at + 1, dot) * 1000 + millis;
}

function readType(cursor: Cursor): ConntrackEvent["type"] | undefined {
  skipBlanks(cursor);
  const { bytes, at } = cursor;
  if (bytes[at] === 0x69 && bytes[at + 1] === 0x70) return "entry"; // ipv4, ipv6
  if (bytes[at] !== OPEN_BRACKET) return undefined;
  cursor.at = find(cursor, CLOSE_BRACKET) + 1;
  switch (bytes[at + 1]) {
    case 0x4e: // [NEW]
      return "new";
    case 0x55: // [UPDATE]
      return "update";
    case 0x44: // [DESTROY]
      return "destroy";
    default:
      return undefined;
  }
}

/** `ipv4     2 tcp      6`: the last of the four says all. */
function readProtocol(cursor: Cursor): number | undefined {
  skipToken(cursor);
  skipToken(cursor);
  skipToken(cursor);
  return readNumberToken(cursor);
}

function readFields(cursor: Cursor, fields: Fields): void {
  const { bytes, end } = cursor;
  for (;;) {
    skipBlanks(cursor);
    const start = cursor.at;
    if (start >= end) return;
    skipToken(cursor);
    if (bytes[start] === OPEN_BRACKET) readFlag(bytes, start, fields);
    else readField(bytes, start, cursor.at, fields);
    // What follows names the program that removed the entry: its name is anybody's text.
    if (fields.userspace) return;
  }
}

function readFlag(bytes: Uint8Array, start: number, fields: Fields): void {
  switch (bytes[start + 1]) {
    case 0x41: // [ASSURED]
      fields.assured = true;
      break;
    case 0x48: // [HW_OFFLOAD]
    case 0x4f: // [OFFLOAD]
      fields.offload = true;
      break;
    case 0x55: // [UNREPLIED] or [USERSPACE]
      if (bytes[start + 2] === 0x4e) fields.unreplied = true;
      else fields.userspace = true;
      break;
    default: // [start=…] and flags of later kernels say nothing we keep
  }
}

/** A key is known by its first letter and its length: comparing whole words would double the time. */
function readField(bytes: Uint8Array, start: number, end: number, fields: Fields): void {
  const first = bytes[start] ?? 0;
  if (first >= UPPER_A && first <= UPPER_Z) {
    if (fields.directions === 0) fields.state = internState(bytes, start, end);
    return;
  }
  let equals = start;
  while (equals < end && bytes[equals] !== EQUALS) equals++;
  const value = equals + 1;
  const direction = fields.directions < 2 ? fields.original : fields.reply;
  switch (first * 32 + (equals - start)) {
    case 0x73 * 32 + 3: // src
      readSource(readAddress(bytes, value, end, fields), fields);
      break;
    case 0x64 * 32 + 3: // dst
      direction.destinationIp = readAddress(bytes, value, end, fields);
      break;
    case 0x73 * 32 + 5: // sport
      direction.sourcePort = digitsAt(bytes, value, end);
      break;
    case 0x64 * 32 + 5: // dport
      direction.destinationPort = digitsAt(bytes, value, end);
      break;
    case 0x70 * 32 + 7: // packets
      direction.packets = digitsAt(bytes, value, end);
      break;
    case 0x62 * 32 + 5: // bytes
      direction.bytes = digitsAt(bytes, value, end);
      break;
    case 0x64 * 32 + 10: // delta-time
      fields.ageS = digitsAt(bytes, value, end);
      break;
    case 0x69 * 32 + 2: // id; ICMP prints ids of its own before, the entry's id is the last
      fields.id = digitsAt(bytes, value, end);
      break;
    case 0x7a * 32 + 4: // zone
    case 0x7a * 32 + 9: // zone-orig
    case 0x7a * 32 + 10: // zone-reply
      fields.zone = digitsAt(bytes, value, end);
      break;
    default: // mark, use, secctx, labels and ICMP's type and code say nothing we keep
  }
}

function readSource(address: string, fields: Fields): void {
  fields.directions++;
  if (fields.directions === 1) fields.original.sourceIp = address;
  else fields.reply.sourceIp = address;
}

function readAddress(bytes: Uint8Array, start: number, end: number, fields: Fields): string {
  const address = internAddress(bytes, start, end);
  if (address === undefined) fields.badAddress = true;
  return address ?? "";
}

function readNumberToken(cursor: Cursor): number | undefined {
  skipBlanks(cursor);
  const start = cursor.at;
  if (!isDigit(cursor.bytes[start])) return undefined;
  skipToken(cursor);
  return digitsAt(cursor.bytes, start, cursor.at);
}

function skipBlanks(cursor: Cursor): void {
  const { bytes, end } = cursor;
  let { at } = cursor;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  cursor.at = at;
}

function skipToken(cursor: Cursor): void {
  skipBlanks(cursor);
  cursor.at = find(cursor, SPACE);
}

/** Where `code` is next, or the end. A loop: tokens are short, and a call of `indexOf` costs more. */
function find({ bytes, at, end }: Cursor, code: number): number {
  let found = at;
  while (found < end && bytes[found] !== code) found++;
  return found;
}

function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const code = bytes[at];
    if (!isDigit(code)) break;
    value = value * 10 + (code - ZERO);
  }
  return value;
}

function digit(code: number | undefined): number {
  return isDigit(code) ? code - ZERO : 0;
}

function isDigit(code: number | undefined): code is number {
  return code !== undefined && code >= ZERO && code <= NINE;
}
