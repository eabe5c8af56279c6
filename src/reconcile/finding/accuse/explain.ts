/**
 * The cheapest explanation of a set of pairs that contradict each other.
 *
 * An explanation names some nodes liars. Each costs f + ½, each pair that is left without a
 * liar costs 1. So in a cheapest one a node is a liar exactly if more than f of its pairs are with
 * nodes that are not: fewer are cheaper left undecided. (With free choice of the price this is the
 * problem of the least vertex cover; at this price nobody is a liar by fewer than f + 1 witnesses.)
 *
 * Three steps, each of which finds what is certain of *every* cheapest explanation:
 *
 * 1. A node with no more than f pairs, those with certain liars not counted, is in none. A node that
 *    contradicts more than f nodes that are in none is in every one. These follow from each other, in
 *    time linear in the pairs, and settle nearly everything.
 * 2. Knots, in which many liars have the same victims, go through the relaxation in which a
 *    node may lie by half: a greatest flow. Where every optimum of it has a node lie wholly or not at all, so
 *    has every cheapest explanation (strong persistency; Hammer, Hansen and Simeone, 1984).
 * 3. What lies by half is searched for all cheapest explanations, by branch and bound. Where that takes too
 *    many steps, nodes stay undecided: there is no guessing.
 */
import { type Cheapest, cheapestOf, KNOT_NODES_MAX, type KnotNode } from "./knot-search.ts";
import { MaxFlow } from "./max-flow.ts";

/** By node: the nodes that it contradicts. Symmetric. */
type Contradictions = ReadonlyMap<string, ReadonlySet<string>>;

export interface Explanation {
  /** In every cheapest explanation, and contradicted by more than f that are in none. */
  readonly liars: ReadonlySet<string>;
  /** In none. */
  readonly honest: ReadonlySet<string>;
}

/** `maxLiars` is f: as many may work together. */
export function explain(graph: Contradictions, maxLiars: number): Explanation {
  const found = certain(graph, maxLiars);
  for (const knot of knotsOf(graph, found)) relax(graph, found, { knot, maxLiars });
  for (const knot of knotsOf(graph, found)) {
    const cheapest = cheapestOf(nodesOf(graph, found, knot), maxLiars);
    if (cheapest !== undefined) settle(found, knot, cheapest);
  }
  const liars = [...found.liars].filter((node) => honestAgainst(graph, found, node) > maxLiars);
  return { liars: new Set(liars), honest: found.honest };
}

interface Found {
  readonly liars: Set<string>;
  readonly honest: Set<string>;
}

/** Both rules, each node looked at again when a neighbour was decided: linear in the pairs. */
function certain(graph: Contradictions, maxLiars: number): Found {
  const found: Found = { liars: new Set(), honest: new Set() };
  const counts = new Map<string, { open: number; honest: number }>();
  for (const [node, peers] of graph) counts.set(node, { open: peers.size, honest: 0 });
  const queue = [...graph.keys()];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    const own = counts.get(node);
    if (own === undefined || isDecided(found, node)) continue;
    const isHonest = own.open <= maxLiars;
    if (!isHonest && own.honest <= maxLiars) continue;
    (isHonest ? found.honest : found.liars).add(node);
    for (const peer of graph.get(node) ?? []) {
      const theirs = counts.get(peer);
      if (theirs === undefined) continue;
      if (isHonest) theirs.honest++;
      else theirs.open--;
      if (!isDecided(found, peer)) queue.push(peer);
    }
  }
  return found;
}

function isDecided({ liars, honest }: Found, node: string): boolean {
  return liars.has(node) || honest.has(node);
}

/** Connected parts of what is undecided, each sorted, so that a search takes the same steps always. */
function knotsOf(graph: Contradictions, found: Found): string[][] {
  const seen = new Set<string>();
  const knots: string[][] = [];
  for (const start of graph.keys()) {
    if (seen.has(start) || isDecided(found, start)) continue;
    const knot: string[] = [];
    const queue = [start];
    seen.add(start);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      knot.push(node);
      for (const peer of graph.get(node) ?? []) {
        if (seen.has(peer) || isDecided(found, peer)) continue;
        seen.add(peer);
        queue.push(peer);
      }
    }
    knots.push(knot.sort());
  }
  return knots;
}

interface Knot {
  readonly knot: readonly string[];
  readonly maxLiars: number;
}

/**
 * Each node is there twice, and each pair joins one's first to the other's second. The least cut pays
 * for half a liar at each node that it cuts off and for half an undecided pair at each pair.
 */
function relax(graph: Contradictions, found: Found, { knot, maxLiars }: Knot): void {
  const [source, sink, first] = [0, 1, 2];
  const flow = new MaxFlow(first + 2 * knot.length);
  const places = new Map(knot.map((node, place) => [node, first + 2 * place]));
  for (const [node, place] of places) {
    const outside = 2 * honestAgainst(graph, found, node);
    flow.join(source, place, 2 * maxLiars + 1);
    flow.join(place + 1, sink, 2 * maxLiars + 1);
    flow.join(place, sink, outside);
    flow.join(source, place + 1, outside);
    for (const peer of graph.get(node) ?? []) {
      const other = places.get(peer);
      if (other !== undefined) flow.join(place, other + 1, 2);
    }
  }
  flow.run();
  for (const [node, place] of places) {
    if (flow.isReached(place)) found.honest.add(node);
    else if (flow.isReached(place + 1)) found.liars.add(node);
  }
}

function honestAgainst(graph: Contradictions, { honest }: Found, node: string): number {
  let count = 0;
  for (const peer of graph.get(node) ?? []) if (honest.has(peer)) count++;
  return count;
}

function nodesOf(graph: Contradictions, found: Found, knot: readonly string[]): KnotNode[] {
  const places = new Map(knot.map((node, place) => [node, place]));
  return knot.map((node) => {
    let peers = 0;
    for (const peer of graph.get(node) ?? []) {
      const place = places.get(peer);
      if (place !== undefined && place < KNOT_NODES_MAX) peers += 2 ** place;
    }
    return { peers, outside: honestAgainst(graph, found, node) };
  });
}

/** Takes over what all cheapest explanations of a knot have in common. */
function settle(found: Found, knot: readonly string[], { every, any }: Cheapest): void {
  for (const [place, node] of knot.entries()) {
    if ((any & (2 ** place)) === 0) found.honest.add(node);
    if ((every & (2 ** place)) !== 0) found.liars.add(node);
  }
}
