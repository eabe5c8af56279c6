/**
 * Who lies: from the pairs of nodes whose records contradict each other without an excuse.
 *
 * Every unexplained mismatch has a liar at one end or both, and one pair does not tell which: so a
 * pair accuses nobody. A node is accused when more than *f* independent witnesses contradict it:
 * other nodes, each of which the whole picture shows to be honest, and when it is a liar in every cheapest
 * explanation of that picture (`accuse/explain.ts`). A tie accuses nobody.
 *
 * **Theorem.** If no honest node is lied about by more than f liars, then no honest node is ever
 * accused, and every liar that lies about more than f honest nodes is.
 *
 * *Proof.* Two honest nodes do not contradict each other, so an honest node has at most f pairs: by the
 * first rule it is in no cheapest explanation. Whoever contradicts more than f such nodes is in every one by the
 * second. Nobody else is accused but by more than f witnesses, which an honest node does not have. ∎
 *
 * So f colluders cannot frame anybody. The search beyond the theorem is for what breaks its
 * condition by accident: a busy honest node about which several liars lie independently. It stays
 * unaccused as long as all but f of them have enough other victims to be found out by themselves.
 *
 * Halves that only a forwarder's word makes one connection are no pair: at least one of three lies there, and a
 * pair of any two would be one of honest nodes where it is the third.
 *
 * **Limits**, which no comparison of records can cross: more than f nodes that lie about one and the
 * same node and about hardly anybody else look exactly like one node that lies about all of them,
 * whether they agreed on it or not; a liar with no more than f victims stays one of the undecided pairs; two
 * colluding ends contradict nobody; one person's many machines are many witnesses.
 *
 * What was concluded must have stood for a while (`holdMs`) before it is told: the first two
 * mismatches of two liars may have the same victim, and the next one shows it.
 */
import { LIARS_DEFAULT } from "../../format/limits.ts";
import type { Accusation, Mismatch, Witness } from "../node/server-memory.ts";
import { explain, type Explanation } from "./accuse/explain.ts";
import { evidenceOf, MismatchGraph, type Pair } from "./accuse/mismatch-graph.ts";

/** A liar's second victim is seen within seconds where it lies at all often. */
export const HOLD_MS = 20_000;

interface WhoLiesOptions {
  /** f: as many may work together without being able to frame anybody. */
  readonly maxLiars?: number;
  readonly holdMs?: number;
}

export class WhoLies {
  readonly graph = new MismatchGraph();
  #maxLiars: number;
  readonly #holdMs: number;
  #explained: { version: number; explanation: Explanation } | undefined;
  /** Since when a node is concluded to lie, by the server's ticks. */
  #sinceTick: Record<string, number>;

  /** `sinceTick` is what `memory` gave; the open mismatches are added anew. */
  constructor(options: WhoLiesOptions = {}, sinceTick: Readonly<Record<string, number>> = {}) {
    this.#maxLiars = options.maxLiars ?? LIARS_DEFAULT;
    this.#holdMs = options.holdMs ?? HOLD_MS;
    this.#sinceTick = { ...sinceTick };
  }

  /** f from now on. */
  set maxLiars(maxLiars: number) {
    this.#maxLiars = maxLiars;
    this.#explained = undefined;
  }

  /** Plain JSON; beside it nothing but the open mismatches has to be kept. */
  get memory(): Readonly<Record<string, number>> {
    return this.#sinceTick;
  }

  add(mismatch: Mismatch): void {
    this.graph.add(mismatch);
  }

  /** Returns what was there. */
  remove(id: string): Mismatch | undefined {
    return this.graph.remove(id);
  }

  /** Who is accused as of this tick of the server. While no pair came or went, only the pairs of the accused are gone through. */
  review(nowMs: number): Accusation[] {
    const { liars, honest } = this.#explain();
    const sinceTick: Record<string, number> = {};
    for (const node of [...liars].sort()) sinceTick[node] = this.#sinceTick[node] ?? nowMs;
    this.#sinceTick = sinceTick;
    return Object.entries(sinceTick)
      .filter(([, sinceMs]) => nowMs - sinceMs >= this.#holdMs)
      .map(([node]) => accusation(node, this.#witnesses(node, honest)));
  }

  /** Those that are certainly honest. */
  #witnesses(node: string, honest: ReadonlySet<string>): Witness[] {
    const witnesses: Witness[] = [];
    for (const pair of this.graph.pairsOf(node)) {
      const other = pair.low === node ? pair.high : pair.low;
      if (honest.has(other)) witnesses.push(witness(pair, other));
    }
    return witnesses;
  }

  #explain(): Explanation {
    const { version } = this.graph;
    if (this.#explained?.version !== version) {
      const explanation = explain(contradictions(this.graph.pairs), this.#maxLiars);
      this.#explained = { version, explanation };
    }
    return this.#explained.explanation;
  }
}

function contradictions(pairs: Iterable<Pair>): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { low, high } of pairs) {
    setIn(graph, low).add(high);
    setIn(graph, high).add(low);
  }
  return graph;
}

function accusation(node: string, witnesses: readonly Witness[]): Accusation {
  const sorted = witnesses.toSorted((a, b) => (a.node < b.node ? -1 : 1));
  return { node, witnesses: sorted, sinceMs: Math.min(...sorted.map((one) => one.firstAtMs)) };
}

function witness(pair: Pair, node: string): Witness {
  const { lacking, ...evidence } = evidenceOf(pair);
  return { node, ...evidence, accusedLacks: node === pair.low ? lacking.high : lacking.low };
}

function setIn<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const set = map.get(key) ?? new Set();
  map.set(key, set);
  return set;
}
