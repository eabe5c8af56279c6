/** All cheapest explanations of a knot of contradictions, by branch and bound. */

/** Places in the knot are bits of a number. */
export const KNOT_NODES_MAX = 30;
/** Some milliseconds. A count and no time, so that every run decides alike. */
const STEPS_MAX = 50_000;

/** One node of a knot. */
export interface KnotNode {
  /** The nodes of the knot that it contradicts, as bits. */
  readonly peers: number;
  /** Pairs with nodes beyond the knot that are certainly honest. */
  readonly outside: number;
}

/** What all cheapest explanations have in common, as bits. */
export interface Cheapest {
  /** Liars in every one. */
  readonly every: number;
  /** Liars in at least one. */
  readonly any: number;
}

/** Undefined: too many nodes, or too many steps. */
export function cheapestOf(knot: readonly KnotNode[], maxLiars: number): Cheapest | undefined {
  if (knot.length > KNOT_NODES_MAX) return undefined;
  const search = new Search(knot, maxLiars);
  search.visit(0, 0, 0);
  return search.isComplete ? search : undefined;
}

/** Costs are in halves, so that they are whole: a liar 2 f + 1, a pair without a liar 2. */
class Search {
  every = 0;
  any = 0;
  readonly #knot: readonly KnotNode[];
  readonly #liarCost: number;
  #best = Infinity;
  #steps = 0;

  constructor(knot: readonly KnotNode[], maxLiars: number) {
    this.#knot = knot;
    this.#liarCost = 2 * maxLiars + 1;
  }

  get isComplete(): boolean {
    return this.#steps <= STEPS_MAX;
  }

  /** Decides the nodes one after the other: whoever is before `place` and no liar is honest. */
  visit(place: number, liars: number, cost: number): void {
    if (++this.#steps > STEPS_MAX) return;
    const honest = ~liars & (bitOf(place) - 1);
    if (cost + this.#atLeast(place, honest) > this.#best) return;
    const node = this.#knot[place];
    if (node === undefined) return this.#take(liars, cost);
    const pairs = pairsOf(node, honest);
    const unsure = bitsIn(node.peers & ~(bitOf(place) - 1));
    const asLiar = [liars | bitOf(place), cost + this.#liarCost] as const;
    const asHonest = [liars, cost + 2 * pairs] as const;
    // The likelier first: a good explanation early cuts off the others.
    const isLikely = 2 * pairs + unsure > this.#liarCost;
    for (const next of isLikely ? [asLiar, asHonest] : [asHonest, asLiar]) {
      this.visit(place + 1, ...next);
    }
  }

  #take(liars: number, cost: number): void {
    if (cost < this.#best) {
      this.#best = cost;
      this.every = liars;
      this.any = liars;
      return;
    }
    this.every &= liars;
    this.any |= liars;
  }

  /** What the nodes from `place` on cost beyond what is decided: their pairs with honest ones, or themselves. */
  #atLeast(place: number, honest: number): number {
    let cost = 0;
    for (let at = place; at < this.#knot.length; at++) {
      const node = this.#knot[at];
      if (node !== undefined) cost += Math.min(this.#liarCost, 2 * pairsOf(node, honest));
    }
    return cost;
  }
}

function pairsOf(node: KnotNode, honest: number): number {
  return node.outside + bitsIn(node.peers & honest);
}

function bitOf(place: number): number {
  return 2 ** place;
}

/** Sums in pairs, nibbles and bytes at once: it is asked millions of times. */
function bitsIn(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
