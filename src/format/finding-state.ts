/**
 * The state of a finding as people see it, made from the entries about it in the order of the
 * server's own stream: what the comparison concludes, what a person rules, and the time that passes.
 * Pure, so that the same journal gives the same states, to the server as to who reads its entries in
 * a file of evidence.
 */
import type { FindingEntry, RulingEntry } from "./entry.ts";
import { EXCUSE_MS_MAX } from "./limits.ts";

/** How a finding can stand; docs/findings.md says what leads to each, and what ends it. */
export const FINDING_STATES = ["open", "excused", "acknowledged", "resolved"] as const;
export type FindingState = (typeof FINDING_STATES)[number];

export interface Standing {
  readonly state: FindingState;
  /** Of the ruling that holds; empty without one. */
  readonly reason: string;
  readonly actor: string;
  /** At a tick from here on it opens again; 0: never. */
  readonly expiresAtMs: number;
  /** Where that ruling stands; 0 without one. */
  readonly ruling: OwnPlace;
}

/** A place in the server's own stream: the record, and the entry's number. */
export interface OwnPlace {
  readonly index: number;
  readonly seq: number;
}

/** Resolving ends a ruling; concluding again does not. */
export function afterFinding(
  before: Standing | undefined,
  { state }: Pick<FindingEntry, "state">,
): Standing {
  if (state === "open" && before !== undefined && isRuled(before)) return before;
  return without(state);
}

/** Nothing is left to say about what is resolved, nor about what was never found. */
export function afterRuling(
  before: Standing | undefined,
  entry: Omit<RulingEntry, "kind" | "finding">,
  place: OwnPlace,
): Standing | undefined {
  if (before === undefined || before.state === "resolved") return before;
  const { ruling, reason, actor } = entry;
  const { index, seq } = place;
  const said = { reason, actor, ruling: { index, seq } };
  if (ruling === "reopened") return { state: "open", ...said, expiresAtMs: 0 };
  return { state: ruling, ...said, expiresAtMs: rulingEndMs(entry) };
}

/** A word with an end is over at the first tick from then on. */
export function afterTick(before: Standing, nowMs: number): Standing {
  const isOver = isRuled(before) && before.expiresAtMs !== 0 && nowMs >= before.expiresAtMs;
  return isOver ? without("open") : before;
}

/** A person's word holds: what is concluded again does not open it. */
export function isRuled({ state }: Pick<Standing, "state">): boolean {
  return state === "excused" || state === "acknowledged";
}

/** At a tick from then on it ends by itself; 0: never. */
export function rulingEndMs({
  ruling,
  atMs,
  expiresAtMs,
}: Pick<RulingEntry, "ruling" | "atMs" | "expiresAtMs">): number {
  const lastMs = atMs + EXCUSE_MS_MAX;
  if (expiresAtMs !== undefined) return Math.min(expiresAtMs, lastMs);
  return ruling === "excused" ? lastMs : 0;
}

function without(state: "open" | "resolved"): Standing {
  return { state, reason: "", actor: "", expiresAtMs: 0, ruling: { index: 0, seq: 0 } };
}
