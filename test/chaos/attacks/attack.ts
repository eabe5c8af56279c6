/**
 * What an attack is, and what it may lay hands on. One attack, one file; `registry.ts` lists them,
 * and docs/threat-model.md says of each how it shows.
 */
import type { Made, Way } from "../mesh/halves.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Place } from "../mesh/topology.ts";
import type { Truth, TruthDraft } from "../truth.ts";
import type { Knowable } from "../mesh/ledger.ts";

/** How it shows. */
export type Detection =
  | {
      /** Kinds of finding of which each instance must lead to one. */
      readonly finds: readonly string[];
      /** From what on it could be known: words for people. */
      readonly knowable: string;
    }
  /** In principle not, and why. */
  | { readonly never: string };

export interface Attack {
  /** Kebab-case, as in docs/threat-model.md. */
  readonly name: string;
  /** One sentence. */
  readonly what: string;
  readonly detection: Detection;
  /** Plans it with one group of doers. Absent: it is described and not made. */
  readonly begin?: (hand: Hand) => void;
}

/** A connection between a doer and a calm peer, before anything was said of it. */
export interface Chance {
  readonly made: Made;
  readonly way: Way;
  readonly doer: Place;
  readonly peer: Place;
  /** The doer's half and the peer's. */
  readonly own: number;
  readonly other: number;
}

/** The adversary's hand in the mesh: its nodes, the time it has, and what it writes down of its deeds. */
export interface Hand {
  readonly mesh: Mesh;
  /** At most as many as conspire; at least one. */
  readonly doers: readonly Place[];
  /** Calm nodes that are nobody's doers. */
  readonly victims: readonly Place[];
  /** True times between which it acts. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Calls for each connection of a doer within that time. */
  onChance(take: (chance: Chance) => void): void;
  /** Writes a deed down: cause, doers and kinds are filled in. */
  enter(
    deed: Partial<TruthDraft> & { readonly told: string; readonly fromMs: number },
    knowable: Knowable,
  ): Truth;
}
