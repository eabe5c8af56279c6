/**
 * Connection entries as arrays of values. They are positional and refer to their open by distance,
 * which is what makes a half cost about 20 bytes after zstd.
 *
 *   ["open",    t, role, protocol, ip, port, ip, port, flags?, reply?, network?]
 *   ["update",  t, distance, ageMs, state, flags, iPackets?, iBytes, rPackets, rBytes, iPayload?, rPayload]
 *   ["close",   …same], ["account", …same]
 *
 * role is "i", "r" or "f". Trailing absent values are left out.
 */
import type {
  AccountEntry,
  Amendment,
  CloseEntry,
  ConnectionState,
  Counters,
  OpenEntry,
  PayloadBytes,
  ReplyTuple,
  Role,
  Tuple,
  UpdateEntry,
} from "./entry.ts";
import { CONNECTION_STATES } from "./entry.ts";
import { address, badEntry, natural, show } from "./entry-value.ts";
import { NAME_CHARS_MAX } from "./limits.ts";
import { DEFAULT_NETWORK, isNetworkName } from "./network-name.ts";

const FLAG_PICKUP = 1;
const FLAG_INFERRED = 1;
const FLAG_ASSURED = 2;
const PORT_MAX = 65_535;

const ROLE_LETTER = { initiator: "i", responder: "r", forwarder: "f" } as const;
const STATES: ReadonlySet<unknown> = new Set(CONNECTION_STATES);

/** The line of an open. `time` is what the line carries: absolute or relative. */
export function encodeOpen(entry: OpenEntry, time: number): string {
  const { tuple: t, reply: r } = entry;
  const network = entry.network === DEFAULT_NETWORK ? undefined : entry.network;
  const tuple = `${t.protocol},"${t.initiatorIp}",${t.initiatorPort},"${t.responderIp}",${t.responderPort}`;
  const head = `["open",${time},"${ROLE_LETTER[entry.role]}",${tuple}`;
  const flags = entry.pickup ? FLAG_PICKUP : 0;
  if (r === undefined && network === undefined)
    return flags === 0 ? `${head}]` : `${head},${flags}]`;
  const reply =
    r === undefined
      ? "null"
      : `["${r.sourceIp}",${r.sourcePort},"${r.destinationIp}",${r.destinationPort}]`;
  if (network === undefined) return `${head},${flags},${reply}]`;
  return `${head},${flags},${reply},${JSON.stringify(network)}]`;
}

/** The line of an update, close or account; `distance` is its own seq minus its open's. */
export function encodeAmendment(
  entry: Amendment & { readonly kind: string; readonly inferred?: boolean },
  time: number,
  distance: number,
): string {
  const flags = (entry.inferred === true ? FLAG_INFERRED : 0) | (entry.assured ? FLAG_ASSURED : 0);
  const head = `["${entry.kind}",${time},${distance},${entry.ageMs},"${entry.state}",${flags}`;
  const c = entry.counters;
  if (c === undefined) return `${head}]`;
  const counted = `${head},${c.initiatorPackets},${c.initiatorBytes},${c.responderPackets},${c.responderBytes}`;
  const p = entry.payload;
  return p === undefined ? `${counted}]` : `${counted},${p.initiatorBytes},${p.responderBytes}]`;
}

/** An open from its values. Throws `bad_entry`. */
export function decodeOpen(values: readonly unknown[], atMs: number): OpenEntry {
  if (values.length < 8 || values.length > 11) {
    throw badEntry(`an open has 8 to 11 values, got ${values.length}`);
  }
  const role = roleOf(values[2]);
  const tuple = decodeTuple(values);
  if (values.length === 8) return { kind: "open", atMs, role, tuple, pickup: false };
  const pickup = natural(values[8], "flags", FLAG_PICKUP) === FLAG_PICKUP;
  const reply = values.length > 9 && values[9] !== null ? decodeReply(values[9]) : undefined;
  const network = values.length > 10 ? networkOf(values[10]) : undefined;
  return {
    kind: "open",
    atMs,
    role,
    tuple,
    pickup,
    ...(reply === undefined ? undefined : { reply }),
    ...(network === undefined ? undefined : { network }),
  };
}

function decodeTuple(values: readonly unknown[]): Tuple {
  return {
    protocol: natural(values[3], "protocol", 255),
    initiatorIp: address(values[4], "initiator"),
    initiatorPort: natural(values[5], "initiator port", PORT_MAX),
    responderIp: address(values[6], "responder"),
    responderPort: natural(values[7], "responder port", PORT_MAX),
  };
}

/** Where an amendment stands: its absolute time and its own number. */
interface Standing {
  readonly atMs: number;
  readonly seq: number;
}

/** An update, close or account from its values. Throws `bad_entry`. */
export function decodeAmendment(
  kind: "update" | "close" | "account",
  values: readonly unknown[],
  { atMs, seq }: Standing,
): UpdateEntry | CloseEntry | AccountEntry {
  if (values.length !== 6 && values.length !== 10 && values.length !== 12) {
    throw badEntry(`expected 6 values, 10 with counters, or 12 with payload, got ${values.length}`);
  }
  const openSeq = seq - distanceOf(values[2], seq);
  const ageMs = natural(values[3], "age");
  if (ageMs > atMs) throw badEntry(`age ${ageMs} puts the open before 1970`);
  const state = stateOf(values[4]);
  const flags = natural(values[5], "flags", FLAG_INFERRED | FLAG_ASSURED);
  const assured = (flags & FLAG_ASSURED) !== 0;
  const inferred = (flags & FLAG_INFERRED) !== 0;
  // Literals, not spreads: this is the innermost part of ingest.
  if (kind === "close") {
    if (values.length === 6) return { kind, atMs, openSeq, ageMs, state, assured, inferred };
    const counters = decodeCounters(values);
    if (values.length === 10)
      return { kind, atMs, openSeq, ageMs, state, assured, inferred, counters };
    const payload = decodePayload(values);
    return { kind, atMs, openSeq, ageMs, state, assured, inferred, counters, payload };
  }
  if (inferred) throw badEntry("flags: only a close is inferred");
  if (values.length === 6) return { kind, atMs, openSeq, ageMs, state, assured };
  const counters = decodeCounters(values);
  if (values.length === 10) return { kind, atMs, openSeq, ageMs, state, assured, counters };
  const payload = decodePayload(values);
  return { kind, atMs, openSeq, ageMs, state, assured, counters, payload };
}

function distanceOf(value: unknown, seq: number): number {
  const distance = natural(value, "distance to the open");
  if (distance >= 1 && distance <= seq) return distance;
  throw badEntry(`distance ${distance} does not lead to an earlier entry`);
}

function stateOf(value: unknown): ConnectionState {
  if (STATES.has(value)) return value as ConnectionState;
  throw badEntry(`state: expected one of ${CONNECTION_STATES.join(" ")}, got ${show(value)}`);
}

function decodeCounters(values: readonly unknown[]): Counters {
  return {
    initiatorPackets: natural(values[6], "initiator packets"),
    initiatorBytes: natural(values[7], "initiator bytes"),
    responderPackets: natural(values[8], "responder packets"),
    responderBytes: natural(values[9], "responder bytes"),
  };
}

function decodePayload(values: readonly unknown[]): PayloadBytes {
  return {
    initiatorBytes: natural(values[10], "initiator payload bytes"),
    responderBytes: natural(values[11], "responder payload bytes"),
  };
}

function decodeReply(value: unknown): ReplyTuple {
  if (!Array.isArray(value) || value.length !== 4) {
    throw badEntry("reply: expected [ip, port, ip, port]");
  }
  return {
    sourceIp: address(value[0], "reply source"),
    sourcePort: natural(value[1], "reply source port", PORT_MAX),
    destinationIp: address(value[2], "reply destination"),
    destinationPort: natural(value[3], "reply destination port", PORT_MAX),
  };
}

function roleOf(letter: unknown): Role {
  switch (letter) {
    case "i":
      return "initiator";
    case "r":
      return "responder";
    case "f":
      return "forwarder";
    default:
      throw badEntry(`role: expected "i", "r" or "f", got ${show(letter)}`);
  }
}

function networkOf(value: unknown): string {
  if (typeof value !== "string" || !isNetworkName(value) || value === DEFAULT_NETWORK) {
    throw badEntry(
      `network: expected a name of at most ${NAME_CHARS_MAX} characters, other than "${DEFAULT_NETWORK}", got ${show(value)}`,
    );
  }
  return value;
}
