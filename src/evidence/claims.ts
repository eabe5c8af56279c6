/**
 * What a finding claims, read from its evidence. The server wrote it, so nothing is relied on: what
 * has another shape is not understood, and is shown as it stands.
 */
import type { Counters, PayloadBytes, Role, Tuple } from "../format/entry.ts";
import { HALVES_MAX, NAMED_PLACES_MAX } from "./limits.ts";

export type Members = Readonly<Record<string, unknown>>;

/** What the finding says of one half. */
export interface HalfClaim {
  /** Hex, as `node`. */
  readonly half: string;
  readonly node: string;
  readonly name: string;
  readonly role: Role;
  readonly epoch: number;
  readonly seq: number;
  readonly openedMs: number;
  /** Null while it lived. */
  readonly durationMs: number | null;
  readonly state: string;
  readonly tuple: Tuple;
  readonly counters: Counters | null;
  /** What the two applications exchanged, where this end's TCP counted it. */
  readonly payload: PayloadBytes | null;
  /** Everything, these too. */
  readonly members: Members;
}

/** The node that has no half. */
export interface AbsenceClaim {
  readonly node: string;
  readonly name: string;
  readonly completeToMs: number;
}

export interface DifferenceClaim {
  readonly sentBy: "initiator" | "responder";
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly allowedBytes: number;
  readonly impossible: boolean;
  /** Of payload bytes, which no loss changes. */
  readonly exact?: boolean;
}

export interface Claims {
  readonly halves: readonly HalfClaim[];
  readonly absence: AbsenceClaim | undefined;
  readonly difference: DifferenceClaim | undefined;
  readonly causes: readonly string[];
  readonly todo: string;
  /** What is none of the above. */
  readonly rest: Members;
}

export function claimsOf(evidence: Members): Claims {
  const { recorded, halves, missing, difference, causes, todo, ...rest } = evidence;
  const listed = Array.isArray(halves) ? (halves as readonly unknown[]) : [];
  return {
    halves: [recorded, ...listed].filter(isHalf).slice(0, HALVES_MAX).map(halfClaim),
    absence: isAbsence(missing) ? missing : undefined,
    difference: isDifference(difference) ? difference : undefined,
    causes: Array.isArray(causes) ? causes.map(String) : [],
    todo: typeof todo === "string" ? todo : "",
    rest,
  };
}

/** Journal indexes that the evidence names, wherever in it they stand. */
export function namedPlaces(evidence: Members): number[] {
  const found = new Set<number>();
  walk(evidence, (key, value) => {
    if (PLACE_NAMES.has(key) && isNatural(value)) found.add(value);
  });
  return [...found].slice(0, NAMED_PLACES_MAX);
}

/** Nodes that the evidence names, hex. */
export function namedNodes(evidence: Members): string[] {
  const found = new Set<string>();
  const add = (value: unknown): void => {
    if (typeof value === "string" && /^[0-9a-f]{32}$/.test(value)) found.add(value);
  };
  walk(evidence, (key, value) => {
    if (key === "node" || key === "claimedNode") add(value);
    if (key === "nodes" && Array.isArray(value)) value.forEach(add);
  });
  return [...found].slice(0, NAMED_PLACES_MAX);
}

const PLACE_NAMES: ReadonlySet<string> = new Set([
  "journalIndex",
  "lastIndex",
  "index",
  "genuineIndex",
  "evidenceIndex",
]);

/** Evidence is nested at most 16 deep: the format sees to it. */
function walk(value: unknown, each: (key: string, value: unknown) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    each(key, inner);
    walk(inner, each);
  }
}

export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHalf(value: unknown): value is Members {
  if (!isMembers(value) || !isMembers(value["tuple"])) return false;
  const { half, node, role, epoch, seq, openedMs } = value;
  const { protocol, initiatorPort, responderPort, initiatorIp, responderIp } = value["tuple"];
  return (
    [half, node].every((id) => typeof id === "string" && /^[0-9a-f]{32}$/.test(id)) &&
    ["initiator", "responder", "forwarder"].includes(String(role)) &&
    [epoch, seq, openedMs, protocol, initiatorPort, responderPort].every(isNatural) &&
    [initiatorIp, responderIp].every((ip) => typeof ip === "string")
  );
}

function halfClaim(members: Members): HalfClaim {
  const { name, durationMs, state, counters, payload } = members;
  return {
    ...(members as unknown as HalfClaim),
    name: typeof name === "string" ? name : "",
    durationMs: isNatural(durationMs) ? durationMs : null,
    state: typeof state === "string" ? state : "",
    counters: isCounters(counters) ? counters : null,
    payload: isPayload(payload) ? payload : null,
    members,
  };
}

function isCounters(value: unknown): value is Counters {
  return isMembers(value) && COUNTER_NAMES.every((name) => isNatural(value[name]));
}

function isPayload(value: unknown): value is PayloadBytes {
  return (
    isMembers(value) && isNatural(value["initiatorBytes"]) && isNatural(value["responderBytes"])
  );
}

export const COUNTER_NAMES = [
  "initiatorBytes",
  "initiatorPackets",
  "responderBytes",
  "responderPackets",
] as const satisfies readonly (keyof Counters)[];

function isAbsence(value: unknown): value is AbsenceClaim {
  return (
    isMembers(value) &&
    typeof value["node"] === "string" &&
    typeof value["name"] === "string" &&
    isNatural(value["completeToMs"])
  );
}

function isDifference(value: unknown): value is DifferenceClaim {
  if (!isMembers(value)) return false;
  const { sentBy, sentBytes, receivedBytes, allowedBytes, impossible } = value;
  return (
    (sentBy === "initiator" || sentBy === "responder") &&
    [sentBytes, receivedBytes, allowedBytes].every(isNatural) &&
    typeof impossible === "boolean"
  );
}
