/**
 * The contradictions in a file: the finding itself, and for an accusation one finding on a pair for
 * each witness, which have to be checked as if each had a file of its own.
 */
import type { FindingEntry } from "../format/entry.ts";
import { type Claims, claimsOf, namedNodes } from "./claims.ts";
import type { Placed } from "./half-facts.ts";
import { WITNESSES_MAX } from "./limits.ts";
import type { Standings, Stood } from "./standings.ts";

export interface Case {
  /** Its newest entry. */
  readonly finding: Placed<FindingEntry>;
  /** By all the entries in the file: what people said of it too. */
  readonly stood: Stood;
  readonly claims: Claims;
}

/** The finding first, then those with the ids that the file names, as far as they are in it. */
export function casesOf(
  standings: Standings,
  findingId: string,
  supportingIds: readonly string[],
): readonly Case[] {
  const main = casesNamed(standings, findingId);
  return main.length === 0
    ? []
    : [...main, ...supportingIds.flatMap((id) => casesNamed(standings, id))];
}

/** Nodes that contradict the accused, hex; none where nobody is accused. */
export function witnessesOf({ finding, evidence }: FindingEntry): string[] {
  const { witnesses } = evidence;
  if (finding !== "accused" || !Array.isArray(witnesses)) return [];
  return namedNodes({ witnesses }).slice(0, WITNESSES_MAX);
}

/**
 * A finding about a connection of these two that nobody excused and nothing resolved, and which no
 * forwarder's word brought together: that accuses neither.
 */
export function isContradiction(
  { finding: { entry }, stood }: Pick<Case, "finding" | "stood">,
  one: string,
  other: string,
): boolean {
  const { state } = stood.standing;
  if (state === "excused" || state === "resolved" || !PAIR_KINDS.has(entry.finding)) return false;
  if (entry.evidence["forwarders"] !== undefined) return false;
  const nodes = namedNodes(entry.evidence);
  return nodes.includes(one) && nodes.includes(other) && claimsOf(entry.evidence).halves.length > 0;
}

/** Findings on one pair of nodes. */
export const PAIR_KINDS: ReadonlySet<string> = new Set(["missing-half", "counters-differ"]);

/** One, or none where the file does not hold it. */
function casesNamed(standings: Standings, id: string): Case[] {
  const stood = standings.of(id);
  const finding = stood?.finding;
  if (stood === undefined || finding === undefined) return [];
  return [{ finding, stood, claims: claimsOf(finding.entry.evidence) }];
}
