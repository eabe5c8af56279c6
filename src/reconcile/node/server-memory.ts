/**
 * What the memory of the server's own stream holds beside what any node's holds: of mismatches between nodes, of
 * findings, and of parked halves. Plain JSON.
 */
import { LIARS_DEFAULT } from "../../format/limits.ts";

/**
 * One thing that two nodes say differently: at least one of them did not tell the truth, unless it is a
 * forwarder between them that did not.
 */
export interface Mismatch {
  /** Of its finding; the same one twice is one. */
  readonly id: string;
  /** What is wrong: the finding's kind. */
  readonly kind: string;
  readonly nodes: readonly [string, string];
  /** Which of the two has no record, or the one that is known to differ. Undefined: not known. */
  readonly lacks?: string | undefined;
  /**
   * Nodes without whose word the two would have nothing to do with each other: they say that they forwarded what one
   * of them recorded to the other, under another address. Undefined: their own records say so.
   */
  readonly forwarders?: readonly string[] | undefined;
  /** When the connection was, by the server's clock. */
  readonly atMs: number;
}

/** What a pair of nodes contradicts itself in. */
export interface PairEvidence {
  readonly count: number;
  /** How many by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Ids of mismatches, at most 16, the earliest first. */
  readonly mismatches: readonly string[];
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A node whose records contradict those of an accused one. */
export interface Witness extends PairEvidence {
  readonly node: string;
  /** Of the mismatches, how often it is the accused that has no record or differs, as far as known. */
  readonly accusedLacks: number;
}

export interface Accusation {
  readonly node: string;
  /** Sorted by node. More than f. */
  readonly witnesses: readonly Witness[];
  /** Earliest of the mismatches with its witnesses. */
  readonly sinceMs: number;
}

/** Mismatches of one kind between two nodes within an hour of the server's time. */
export interface Fold {
  count: number;
  firstMs: number;
  lastMs: number;
  /** `count` when it was told last; 0 before. */
  told: number;
}

/** Of the mismatches; those that are open are taken from their findings. */
export interface MismatchMemory {
  /** f, as the server's last start has it. */
  maxLiars: number;
  /** By kind, both nodes, the hour, and who forwarded, where that is what makes one connection of it. */
  folds: Record<string, Fold>;
  /** By node: since which tick it is concluded to lie. */
  lying: Record<string, number>;
  /** By finding: mismatches that a person excused, and the tick from which on they count again. */
  excused: Record<string, number>;
  /** By node: accused by a finding that is open, as it was told last. */
  accused: Record<string, Accusation>;
}

export function noMismatches(): MismatchMemory {
  return { maxLiars: LIARS_DEFAULT, folds: {}, lying: {}, excused: {}, accused: {} };
}

/** What a restart needs of a finding that was concluded before it. */
export interface StoredFinding {
  readonly id: string;
  readonly state: "open" | "resolved";
  /** The number in it, of one that counts: mismatches of two nodes, witnesses of one. */
  readonly revision: number;
  /** Where it is one between two nodes, and open. */
  readonly mismatch?: Mismatch;
}

/** How many parked halves began in which minute. */
export interface ParkedMemory {
  /** Minutes since 1970; of the first of `counts`. */
  firstMinute: number;
  counts: number[];
  /** What the clocks of the nodes that recorded them show, minus the server's: least and most. */
  clockMinMs: number;
  clockMaxMs: number;
}

export function nothingParked(): ParkedMemory {
  return { firstMinute: 0, counts: [], clockMinMs: 0, clockMaxMs: 0 };
}
