/**
 * The contradictions in a file: the finding itself, and for an accusation one finding on a pair for
 * each witness, which have to be checked as if each had a file of its own.
 */
import type { FindingEntry } from "../format/entry.ts";
import { type Claims, claimsOf, namedNodes } from "./claims.ts";
import type { Placed } from "./half-facts.ts";
import { WITNESSES_MAX } from "./limits.ts";

export interface Case {
  readonly finding: Placed<FindingEntry>;
  readonly claims: Claims;
}

/** The finding first, then those with the ids that the file names, as far as they are in it. */
export function casesOf(
  main: Placed<FindingEntry>,
  others: readonly Placed<FindingEntry>[],
  supportingIds: readonly string[],
): readonly Case[] {
  const supporting = supportingIds.flatMap((id) => {
    const found = others.findLast(({ entry }) => entry.id === id);
    return found === undefined ? [] : [found];
  });
  return [main, ...supporting].map(caseOf);
}

/** Nodes that contradict the accused, hex; none where nobody is accused. */
export function witnessesOf({ finding, evidence }: FindingEntry): string[] {
  const { witnesses } = evidence;
  if (finding !== "accused" || !Array.isArray(witnesses)) return [];
  return namedNodes({ witnesses }).slice(0, WITNESSES_MAX);
}

/** An open finding about a connection of these two, which no forwarder's word brought together: that accuses neither. */
export function isContradiction(entry: FindingEntry, one: string, other: string): boolean {
  if (entry.state !== "open" || !PAIR_KINDS.has(entry.finding)) return false;
  if (entry.evidence["forwarders"] !== undefined) return false;
  const nodes = namedNodes(entry.evidence);
  return nodes.includes(one) && nodes.includes(other) && claimsOf(entry.evidence).halves.length > 0;
}

/** Findings on one pair of nodes. */
export const PAIR_KINDS: ReadonlySet<string> = new Set(["missing-half", "counters-differ"]);

function caseOf(finding: Placed<FindingEntry>): Case {
  return { finding, claims: claimsOf(finding.entry.evidence) };
}
