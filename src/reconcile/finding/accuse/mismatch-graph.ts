/**
 * The mismatches that nothing excuses, by pair of nodes. Who lies is decided over the pairs, so that
 * its cost does not follow the number of mismatches; those are looked at for evidence only.
 */
import type { Mismatch, PairEvidence } from "../../node/server-memory.ts";

/** All of one pair. `low` is the lesser id. */
export interface Pair {
  readonly low: string;
  readonly high: string;
  readonly mismatches: Map<string, Mismatch>;
  /** Undefined: to be made anew. */
  evidence: GatheredEvidence | undefined;
}

/** Of both ends of a pair. */
export interface GatheredEvidence extends PairEvidence {
  /** How often each has no record or differs, as far as known. */
  readonly lacking: { readonly low: number; readonly high: number };
}

const SAMPLE_MAX = 16;

export class MismatchGraph {
  readonly #pairs = new Map<string, Pair>();
  /** By node: those that it is one of. */
  readonly #pairsOf = new Map<string, Set<Pair>>();
  /** By mismatch. */
  readonly #pairOf = new Map<string, Pair>();
  /**
   * Those through a forwarder: one of three or more lies. As a pair of the two ends, or of either with the forwarder, they
   * would let a liar among the three set the other two against each other; so they are none.
   */
  readonly #apart = new Map<string, Mismatch>();
  #version = 0;

  /** Moves when the pairs did: while it stands, so does who lies. */
  get version(): number {
    return this.#version;
  }

  get mismatchCount(): number {
    return this.#pairOf.size;
  }

  /** In no particular order. */
  get pairs(): Iterable<Pair> {
    return this.#pairs.values();
  }

  /** In no particular order. */
  pairsOf(node: string): Iterable<Pair> {
    return this.#pairsOf.get(node) ?? [];
  }

  add(mismatch: Mismatch): void {
    const [one, other] = mismatch.nodes;
    if (this.#pairOf.has(mismatch.id) || one === other) return;
    if (mismatch.forwarders !== undefined) {
      this.#apart.set(mismatch.id, mismatch);
      return;
    }
    const [low, high] = one < other ? [one, other] : [other, one];
    const key = keyOf(low, high);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { low, high, mismatches: new Map(), evidence: undefined };
      this.#pairs.set(key, pair);
      for (const node of [low, high]) this.#listPair(node, pair);
      this.#version++;
    }
    pair.mismatches.set(mismatch.id, mismatch);
    pair.evidence = undefined;
    this.#pairOf.set(mismatch.id, pair);
  }

  /** It was explained after all, or excused. Returns it; undefined where it is not here. */
  remove(id: string): Mismatch | undefined {
    const pair = this.#pairOf.get(id);
    if (pair === undefined) return this.#takeApart(id);
    const mismatch = pair.mismatches.get(id);
    this.#pairOf.delete(id);
    pair.mismatches.delete(id);
    pair.evidence = undefined;
    if (pair.mismatches.size > 0) return mismatch;
    this.#pairs.delete(keyOf(pair.low, pair.high));
    for (const node of [pair.low, pair.high]) this.#dropPair(node, pair);
    this.#version++;
    return mismatch;
  }

  #listPair(node: string, pair: Pair): void {
    const pairs = this.#pairsOf.get(node);
    if (pairs === undefined) this.#pairsOf.set(node, new Set([pair]));
    else pairs.add(pair);
  }

  #dropPair(node: string, pair: Pair): void {
    const pairs = this.#pairsOf.get(node);
    pairs?.delete(pair);
    if (pairs?.size === 0) this.#pairsOf.delete(node);
  }

  #takeApart(id: string): Mismatch | undefined {
    const mismatch = this.#apart.get(id);
    this.#apart.delete(id);
    return mismatch;
  }
}

/** Made once until the pair changes; the same whatever order its mismatches came in. */
export function evidenceOf(pair: Pair): GatheredEvidence {
  pair.evidence ??= gather(pair);
  return pair.evidence;
}

function gather({ low, high, mismatches }: Pair): GatheredEvidence {
  const sorted = [...mismatches.values()].sort(byTime);
  const kinds: Record<string, number> = {};
  for (const kind of sorted.map((one) => one.kind).sort()) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const lackedBy = (node: string): number => sorted.filter((one) => one.lacks === node).length;
  return {
    count: sorted.length,
    kinds,
    mismatches: sorted.slice(0, SAMPLE_MAX).map((one) => one.id),
    firstAtMs: sorted[0]?.atMs ?? 0,
    lastAtMs: sorted.at(-1)?.atMs ?? 0,
    lacking: { low: lackedBy(low), high: lackedBy(high) },
  };
}

function byTime(a: Mismatch, b: Mismatch): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  return a.id < b.id ? -1 : 1;
}

function keyOf(low: string, high: string): string {
  return `${low} ${high}`;
}
