/**
 * What an attack is, and what it may lay hands on. One attack, one file; `registry.ts` lists them,
 * and docs/threat-model.md says of each how it shows.
 */
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
  /** How many it takes at least, where one cannot do it. */
  readonly group?: number;
  /** How many honest nodes it makes unfit to be others' victims. */
  readonly spoils?: number;
  /** Plans it with one group of doers. Absent: it is described and not made. */
  readonly begin?: (hand: Hand) => void;
}

/** A doer's connection, before anything was said of it. */
export interface Lone {
  readonly doer: Place;
  /** The doer's half. */
  readonly own: number;
  /** The peer's half; −1 where nobody else records it. */
  readonly other: number;
  /** Absent: somebody who is no node. */
  readonly peer: Place | undefined;
}

/** A connection between a doer and a node that records it too. */
export interface Chance extends Lone {
  readonly peer: Place;
}

/** The adversary's hand in the mesh: its nodes, the time it has, and what it writes down of its deeds. */
export interface Hand {
  readonly mesh: Mesh;
  /** At most as many as conspire; at least one. */
  readonly doers: readonly Place[];
  /** Honest nodes that are nobody else's victims: as many as it spoils. */
  readonly spoilt: readonly Place[];
  /** Calm nodes that nobody else lies about. */
  readonly victims: readonly Place[];
  /** True times between which it acts. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Calls for each connection of a doer with a victim within that time. */
  onChance(take: (chance: Chance) => void): void;
  /** … with another doer of the group. */
  onInner(take: (chance: Chance) => void): void;
  /** … that nobody else records. */
  onLone(take: (lone: Lone) => void): void;
  /** Some time between `fromMs` and `toMs`. */
  someTimeMs(): number;
  /** Writes a deed down: cause, doers and kinds are filled in. */
  enter(
    deed: Partial<TruthDraft> & { readonly told: string; readonly fromMs: number },
    knowable: Knowable,
  ): Truth;
}
