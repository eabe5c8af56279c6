/**
 * What was really done, by the adversary or by chance, and what the comparison must or may say of
 * it. The generator knows; the score compares. Plain values: they pass between threads.
 */

/** One injected event. */
export interface Truth {
  readonly id: number;
  /** Name of the attack, or of the harmless thing that happened. */
  readonly cause: string;
  readonly isAttack: boolean;
  /** Hex ids of the nodes that did it: these alone may be accused. */
  readonly doers: readonly string[];
  /** Hex ids of the nodes that it contradicts: each is a witness, if it is found. */
  readonly against: readonly string[];
  /** Hex ids of nodes that findings of it may name, doers included. */
  readonly nodes: readonly string[];
  /** Kinds of which one must be found; none where nothing can be known. */
  readonly finds: readonly string[];
  /** Kinds that may be found besides. */
  readonly may: readonly string[];
  /** For people: what was done to what. */
  readonly told: string;
  /** Server time, Unix ms, in which findings that name a node belong to it. */
  readonly fromMs: number;
  toMs: number;
  /** Hex ids of the halves that findings of it name. */
  readonly halves: string[];
  /** Server time, Unix ms, from which on it could be known: the later watermark, or the end of patience. Null: never. */
  baseMs: number | null;
}

export type TruthDraft = Omit<Truth, "id" | "halves" | "baseMs" | "toMs" | "against"> & {
  readonly toMs?: number;
  readonly against?: readonly string[];
};
