import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../std/seeded-random.ts";
import { MaxFlow } from "./max-flow.ts";

type Edge = [from: number, to: number, capacity: number];

/** The nodes on the source's side of every least cut, by trying all cuts. */
function reachedByTrying(nodes: number, edges: readonly Edge[]): number[] {
  let least = Infinity;
  let inAll = 0;
  for (let side = 0; side < 2 ** nodes; side++) {
    if ((side & 1) === 0 || (side & 2) !== 0) continue;
    let cut = 0;
    for (const [from, to, capacity] of edges) {
      if ((side & (1 << from)) !== 0 && (side & (1 << to)) === 0) cut += capacity;
    }
    if (cut < least) [least, inAll] = [cut, side];
    else if (cut === least) inAll &= side;
  }
  return numbersTo(nodes).filter((node) => (inAll & (1 << node)) !== 0);
}

function numbersTo(end: number): number[] {
  return Array.from({ length: end }, (_, at) => at);
}

function reachedByFlow(nodes: number, edges: readonly Edge[]): number[] {
  const flow = new MaxFlow(nodes);
  for (const edge of edges) flow.join(...edge);
  flow.run();
  return numbersTo(nodes).filter((node) => flow.isReached(node));
}

describe("the source's side of the least cut", () => {
  const table: [what: string, nodes: number, edges: Edge[], reached: number[]][] = [
    ["nothing is joined", 2, [], [0]],
    [
      "a way is cut where it is narrow, nearest to the source",
      5,
      [
        [0, 2, 9],
        [2, 3, 1],
        [3, 4, 1],
        [4, 1, 9],
      ],
      [0, 2],
    ],
    [
      "a way must be taken back",
      6,
      [
        [0, 2, 1],
        [0, 3, 1],
        [2, 4, 1],
        [2, 5, 1],
        [3, 4, 1],
        [4, 1, 1],
        [5, 1, 1],
      ],
      [0],
    ],
    [
      "no capacity is no way",
      3,
      [
        [0, 2, 0],
        [2, 1, 5],
      ],
      [0],
    ],
  ];
  for (const [what, nodes, edges, reached] of table) {
    it(what, () => {
      assert.deepEqual(reachedByFlow(nodes, edges), reached);
      assert.deepEqual(reachedByTrying(nodes, edges), reached);
    });
  }

  it("is what trying all cuts finds, in 1,000 random networks", () => {
    const random = new SeededRandom(1);
    for (let trial = 0; trial < 1_000; trial++) {
      const nodes = random.integer(2, 9);
      const edges = Array.from({ length: random.integer(0, 24) }, (): Edge => [
        random.below(nodes),
        random.below(nodes),
        random.integer(0, 5),
      ]).filter(([from, to]) => from !== to && to !== 0 && from !== 1);
      assert.deepEqual(
        reachedByFlow(nodes, edges),
        reachedByTrying(nodes, edges),
        JSON.stringify(edges),
      );
    }
  });
});

it("goes a way of 100,000 nodes", () => {
  const nodes = 100_000;
  const edges = numbersTo(nodes - 3).map((at): Edge => [at + 2, at + 3, 1]);
  assert.equal(reachedByFlow(nodes, [[0, 2, 2], ...edges, [nodes - 1, 1, 2]]).length, 2);
});
