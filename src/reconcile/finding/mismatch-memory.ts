/** What is remembered of the mismatches between nodes, in the memory of the server's stream. */
import { LIARS_DEFAULT } from "../../format/limits.ts";
import type { Accusation } from "./accuse.ts";

/** Mismatches of one kind between two nodes within an hour of the server's time. */
export interface Fold {
  count: number;
  firstMs: number;
  lastMs: number;
  /** `count` when it was told last; 0 before. */
  told: number;
}

/** What of this must outlive a restart: plain JSON, in the memory of the server's stream. */
export interface MismatchMemory {
  /** f, as the server's last start has it. */
  maxLiars: number;
  /** By kind, both nodes, the hour, and who forwarded, where that is what makes one connection of it. */
  folds: Record<string, Fold>;
  lying: Record<string, number>;
  /** By finding: mismatches that a person excused, and the tick from which on they count again. */
  excused: Record<string, number>;
  /** By node: accused by a finding that is open, as it was told last. */
  accused: Record<string, Accusation>;
}

export function noMismatches(): MismatchMemory {
  return { maxLiars: LIARS_DEFAULT, folds: {}, lying: {}, excused: {}, accused: {} };
}
