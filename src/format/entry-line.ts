/**
 * One entry as one line: a JSON array `[kind, time, …]`, newline-free. Connection entries are
 * positional and refer to their open by distance, which is what makes a half cost about 20 bytes
 * after zstd; all others carry one object.
 *
 *   ["open",    t, role, protocol, ip, port, ip, port, flags?, reply?, network?]
 *   ["update",  t, distance, ageMs, state, flags, iPackets?, iBytes, rPackets, rBytes]
 *   ["close",   …same], ["account", …same]
 *   [kind,      t, {…}]
 *
 * t is Unix milliseconds in the first line of a batch and the difference to the line before in all
 * others; it may be negative. role is "i", "r" or "f". Trailing absent values are left out.
 */
import { isIP } from "node:net";
import { canonicalAddress } from "./address.ts";
import type {
  Amendment,
  ConnectionState,
  Counters,
  Entry,
  OpenEntry,
  ReplyTuple,
  Role,
} from "./entry.ts";
import { CONNECTION_STATES } from "./entry.ts";
import { FormatError } from "./format-error.ts";
import { checkObjectEntry } from "./entry-object.ts";
import { NAME_CHARS_MAX, TIME_MS_END } from "./limits.ts";

const FLAG_PICKUP = 1;
const FLAG_INFERRED = 1;
const FLAG_ASSURED = 2;

const ROLE_LETTER = { initiator: "i", responder: "r", forwarder: "f" } as const;
const ROLE_OF: Readonly<Record<string, Role>> = { i: "initiator", r: "responder", f: "forwarder" };
const STATES: ReadonlySet<unknown> = new Set(CONNECTION_STATES);

/** Where a line stands in its batch: what its relative values refer to. */
export interface LinePosition {
  /** The entry's own number. */
  readonly seq: number;
  /** `atMs` of the line before; 0 for the first line of a batch. */
  readonly previousAtMs: number;
}

/** The line of an entry, without newline. The entry is the caller's own and is not checked. */
export function encodeLine(entry: Entry, position: LinePosition): string {
  const time = entry.atMs - position.previousAtMs;
  switch (entry.kind) {
    case "open":
      return encodeOpen(entry, time);
    case "update":
    case "close":
    case "account":
      return encodeAmendment(entry, time, position.seq - entry.openSeq);
    default: {
      const { kind, atMs: _, ...rest } = entry;
      return JSON.stringify([kind, time, rest]);
    }
  }
}

/** The inverse, with every value checked. Throws `bad_entry` and says what was expected. */
export function decodeLine(line: string, position: LinePosition): Entry {
  const values = parseLine(line);
  const kind = values[0];
  const atMs = int(values[1], "time") + position.previousAtMs;
  if (atMs < 0 || atMs >= TIME_MS_END) throw bad(`time ${atMs} is outside 0…${TIME_MS_END - 1}`);
  switch (kind) {
    case "open":
      return decodeOpen(values, atMs);
    case "update":
    case "account":
      return { kind, atMs, ...decodeAmendment(values, position.seq) };
    case "close":
      return {
        kind,
        atMs,
        ...decodeAmendment(values, position.seq),
        inferred: ((values[5] as number) & FLAG_INFERRED) !== 0,
      };
    default:
      return checkObjectEntry(kind, atMs, values);
  }
}

function encodeOpen(entry: OpenEntry, time: number): string {
  const { tuple, reply } = entry;
  const values: unknown[] = [
    "open",
    time,
    ROLE_LETTER[entry.role],
    tuple.protocol,
    tuple.initiatorIp,
    tuple.initiatorPort,
    tuple.responderIp,
    tuple.responderPort,
  ];
  const flags = entry.pickup ? FLAG_PICKUP : 0;
  if (flags !== 0 || reply !== undefined || entry.network !== undefined) values.push(flags);
  if (reply !== undefined || entry.network !== undefined) {
    values.push(
      reply === undefined
        ? null
        : [reply.sourceIp, reply.sourcePort, reply.destinationIp, reply.destinationPort],
    );
  }
  if (entry.network !== undefined) values.push(entry.network);
  return JSON.stringify(values);
}

function encodeAmendment(
  entry: Amendment & { kind: string; inferred?: boolean },
  time: number,
  distance: number,
): string {
  const flags = (entry.inferred === true ? FLAG_INFERRED : 0) | (entry.assured ? FLAG_ASSURED : 0);
  const head = `["${entry.kind}",${time},${distance},${entry.ageMs},"${entry.state}",${flags}`;
  const c = entry.counters;
  if (c === undefined) return `${head}]`;
  return `${head},${c.initiatorPackets},${c.initiatorBytes},${c.responderPackets},${c.responderBytes}]`;
}

function parseLine(line: string): unknown[] {
  let values: unknown;
  try {
    values = JSON.parse(line);
  } catch (cause) {
    throw new FormatError("bad_entry", "expected a JSON array", { cause });
  }
  if (!Array.isArray(values)) throw bad("expected a JSON array");
  return values;
}

function decodeOpen(values: unknown[], atMs: number): OpenEntry {
  if (values.length < 8 || values.length > 11)
    throw bad(`an open has 8 to 11 values, got ${values.length}`);
  const role = ROLE_OF[String(values[2])];
  if (role === undefined) throw bad(`role: expected "i", "r" or "f", got ${show(values[2])}`);
  const flags = values.length > 8 ? natural(values[8], "flags", 255) : 0;
  const reply = values.length > 9 && values[9] !== null ? decodeReply(values[9]) : undefined;
  const network = values.length > 10 ? name(values[10], "network") : undefined;
  return {
    kind: "open",
    atMs,
    role,
    tuple: {
      protocol: natural(values[3], "protocol", 255),
      initiatorIp: address(values[4]),
      initiatorPort: natural(values[5], "initiator port", 65_535),
      responderIp: address(values[6]),
      responderPort: natural(values[7], "responder port", 65_535),
    },
    pickup: (flags & FLAG_PICKUP) !== 0,
    ...(reply === undefined ? {} : { reply }),
    ...(network === undefined ? {} : { network }),
  };
}

function decodeReply(value: unknown): ReplyTuple {
  if (!Array.isArray(value) || value.length !== 4)
    throw bad("reply: expected [ip, port, ip, port]");
  return {
    sourceIp: address(value[0]),
    sourcePort: natural(value[1], "reply source port", 65_535),
    destinationIp: address(value[2]),
    destinationPort: natural(value[3], "reply destination port", 65_535),
  };
}

function decodeAmendment(values: unknown[], seq: number): Omit<Amendment, "atMs"> {
  if (values.length !== 6 && values.length !== 10) {
    throw bad(`expected 6 values, or 10 with counters, got ${values.length}`);
  }
  const distance = natural(values[2], "distance to the open", Number.MAX_SAFE_INTEGER);
  if (distance < 1 || distance > seq)
    throw bad(`distance ${distance} does not lead to an earlier entry`);
  const state = values[4];
  if (!STATES.has(state))
    throw bad(`state: expected one of ${CONNECTION_STATES.join(" ")}, got ${show(state)}`);
  const flags = natural(values[5], "flags", 255);
  const counters = values.length === 10 ? decodeCounters(values) : undefined;
  return {
    openSeq: seq - distance,
    ageMs: int(values[3], "age"),
    state: state as ConnectionState,
    assured: (flags & FLAG_ASSURED) !== 0,
    ...(counters === undefined ? {} : { counters }),
  };
}

function decodeCounters(values: unknown[]): Counters {
  return {
    initiatorPackets: natural(values[6], "initiator packets", Number.MAX_SAFE_INTEGER),
    initiatorBytes: natural(values[7], "initiator bytes", Number.MAX_SAFE_INTEGER),
    responderPackets: natural(values[8], "responder packets", Number.MAX_SAFE_INTEGER),
    responderBytes: natural(values[9], "responder bytes", Number.MAX_SAFE_INTEGER),
  };
}

/** Only the canonical spelling is accepted: two spellings would be two connections. */
function address(value: unknown): string {
  if (typeof value !== "string") throw bad(`expected an address, got ${show(value)}`);
  const family = isIP(value);
  if (family === 4) return value;
  if (family === 0 || value.includes("%") || canonicalAddress(value) !== value) {
    throw bad(`expected a canonical address, got ${show(value)}`);
  }
  return value;
}

function natural(value: unknown, what: string, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw bad(`${what}: expected an integer 0…${max}, got ${show(value)}`);
  }
  return value as number;
}

function int(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw bad(`${what}: expected an integer, got ${show(value)}`);
  return value as number;
}

function name(value: unknown, what: string): string {
  if (typeof value !== "string" || value.length === 0 || value.length > NAME_CHARS_MAX) {
    throw bad(`${what}: expected 1…${NAME_CHARS_MAX} characters, got ${show(value)}`);
  }
  return value;
}

function bad(message: string): FormatError {
  return new FormatError("bad_entry", message);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 64);
}
