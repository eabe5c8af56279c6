/** A half as the signed entries in the file tell it, beside what the finding claims of it. */
import type {
  Amendment,
  ConnectionEntry,
  Counters,
  OpenEntry,
  PayloadBytes,
} from "../format/entry.ts";
import { COUNTER_NAMES, type HalfClaim } from "./claims.ts";
import type { Piece } from "./piece.ts";

/** An entry and where it stands. */
export interface Placed<E> {
  readonly entry: E;
  readonly seq: number;
  readonly piece: Piece;
}

export interface HalfFacts {
  readonly claim: HalfClaim;
  readonly open: Placed<OpenEntry> | undefined;
  /** Updates, close and accounts, in the order of their numbers. */
  readonly later: readonly Placed<Exclude<ConnectionEntry, OpenEntry>>[];
}

/** What is known of a half after some of its entries. */
export interface HalfState {
  readonly state: string;
  readonly durationMs: number | null;
  readonly counters: Counters | null;
  readonly payload: PayloadBytes | null;
  /** Final counters are in. */
  readonly accounted: boolean;
}

export const UNHEARD: HalfState = {
  state: "",
  durationMs: null,
  counters: null,
  payload: null,
  accounted: false,
};

/** What a later entry of a half makes of what was known: the rule of the comparison. */
export function amended(
  before: HalfState,
  entry: Amendment & { readonly kind: string; readonly inferred?: boolean },
): HalfState {
  if (before.accounted && entry.kind !== "account") return before;
  const counters = entry.counters ?? before.counters;
  const payload = entry.payload ?? before.payload;
  switch (entry.kind) {
    case "close": {
      const accounted = entry.inferred !== true && entry.counters !== undefined;
      return { state: entry.state, durationMs: entry.ageMs, counters, payload, accounted };
    }
    case "account": {
      const durationMs = before.durationMs ?? entry.ageMs;
      return { state: entry.state, durationMs, counters, payload, accounted: true };
    }
    default: {
      const state = before.durationMs === null ? entry.state : before.state;
      return { ...before, state, counters, payload };
    }
  }
}

/** True when the finding says exactly this. */
export function isAsClaimed(known: HalfState, claim: HalfClaim): boolean {
  return (
    known.state === claim.state &&
    known.durationMs === claim.durationMs &&
    countersText(known.counters) === countersText(claim.counters) &&
    // Only where the finding speaks of it.
    (claim.payload === null || payloadText(known.payload) === payloadText(claim.payload))
  );
}

/** The state after the fewest entries that make the claim true; undefined when none do. */
export function claimedState({ claim, later }: HalfFacts): HalfState | undefined {
  let known = UNHEARD;
  if (isAsClaimed(known, claim)) return known;
  for (const { entry } of later) {
    known = amended(known, entry);
    if (isAsClaimed(known, claim)) return known;
  }
  return undefined;
}

/** The state after all entries in the file. */
export function lastState({ later }: HalfFacts): HalfState {
  return later.reduce((known, { entry }) => amended(known, entry), UNHEARD);
}

/** The same text for the same counts. */
export function payloadText(payload: PayloadBytes | null): string {
  return payload === null ? "none" : `${payload.initiatorBytes} ${payload.responderBytes}`;
}

function countersText(counters: Counters | null): string {
  return counters === null ? "none" : COUNTER_NAMES.map((name) => counters[name]).join(" ");
}
