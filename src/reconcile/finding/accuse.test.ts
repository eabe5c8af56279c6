import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import type { Accusation, Mismatch } from "../node/server-memory.ts";
import { HOLD_MS, WhoLies } from "./accuse.ts";

type PairText = string;

/** Pairs as "A-B": one mismatch each, of which A has no record. */
function mismatches(pairs: readonly PairText[]): Mismatch[] {
  return pairs.map((pair, at) => {
    const [one = "", other = ""] = pair.split("-");
    return {
      id: `m${at}`,
      kind: "missing-half",
      nodes: [one, other],
      lacks: one,
      atMs: 1_000 + at,
    };
  });
}

/** What is told once it has stood for long enough. */
function told(of: readonly Mismatch[], maxLiars = 1): Accusation[] {
  const whoLies = new WhoLies({ maxLiars });
  for (const mismatch of of) whoLies.add(mismatch);
  assert.deepEqual(whoLies.review(0), []);
  return whoLies.review(HOLD_MS);
}

describe("who lies", () => {
  const table: [what: string, pairs: PairText[], accused: string[], maxLiars?: number][] = [
    ["nobody, where nothing differs", [], []],
    ["nobody, of one pair", ["a-b"], []],
    ["nobody, of one pair that differs a lot", ["a-b", "a-b", "b-a", "a-b"], []],
    ["whoever contradicts two", ["x-a", "x-b"], ["x"]],
    ["whoever contradicts two, by either end", ["a-x", "x-b"], ["x"]],
    ["nobody by two, where two may collude", ["x-a", "x-b"], [], 2],
    ["whoever contradicts three, where two may collude", ["x-a", "x-b", "x-c"], ["x"], 2],
    ["whoever contradicts one, where nobody may lie", ["x-a", "x-b"], ["x"], 0],
    ["nobody of one pair, even where nobody may lie", ["a-b"], [], 0],
    ["two liars with victims of their own", ["x-a", "x-b", "y-c", "y-d"], ["x", "y"]],
    ["two liars that contradict each other too", ["x-a", "x-b", "y-c", "y-d", "x-y"], ["x", "y"]],
    ["two liars, and not the busy victim of both", ["x-h", "y-h", "x-a", "y-b"], ["x", "y"]],
    ["the liar with other victims, and not their common one", ["x-h", "y-h", "y-a", "y-b"], ["y"]],
    ["nobody of a square: either two may have lied", ["x-a", "x-b", "y-a", "y-b"], []],
    ["nobody of a triangle", ["a-b", "b-c", "c-a"], []],
    ["nobody of a ring", ["a-b", "b-c", "c-d", "d-e", "e-a"], []],
    ["the one beside a ring", ["a-b", "b-c", "c-a", "x-d", "x-e"], ["x"]],
    [
      "the big liar among small ones, where two may collude",
      ["x-a", "x-b", "x-c", "s-a", "t-b", "u-c"],
      ["x"],
      2,
    ],
  ];
  for (const [what, pairs, accused, maxLiars] of table) {
    it(what, () => {
      const found = told(mismatches(pairs), maxLiars);
      assert.deepEqual(
        found.map((one) => one.node),
        accused,
      );
      for (const { witnesses } of found) {
        assert.ok(witnesses.length > (maxLiars ?? 1));
        for (const { node } of witnesses) assert.ok(!accused.includes(node));
      }
    });
  }
});

describe("the evidence", () => {
  it("names each witness, how often, since when, and who has no record", () => {
    const accused = told(mismatches(["x-a", "b-x", "x-a", "c-d", "x-b"]));
    const kinds = { "missing-half": 2 };
    assert.deepEqual(accused, [
      {
        node: "x",
        sinceMs: 1_000,
        witnesses: [
          {
            node: "a",
            count: 2,
            kinds,
            mismatches: ["m0", "m2"],
            firstAtMs: 1_000,
            lastAtMs: 1_002,
            accusedLacks: 2,
          },
          {
            node: "b",
            count: 2,
            kinds,
            mismatches: ["m1", "m4"],
            firstAtMs: 1_001,
            lastAtMs: 1_004,
            accusedLacks: 1,
          },
        ],
      },
    ]);
  });

  it("is the same whatever order mismatches came in, bounded however many there are", () => {
    const random = new SeededRandom(3);
    const pairs = Array.from({ length: 2_000 }, () => `x-${random.below(30)}`);
    const all = mismatches(pairs);
    const result = told(all);
    assert.deepEqual(told(random.shuffled(all)), result);
    assert.ok(result[0]?.witnesses.every((one) => one.mismatches.length <= 16));
  });
});

describe("what was concluded", () => {
  it("is told when it stood for a while, and taken back at once", () => {
    const whoLies = new WhoLies();
    for (const mismatch of mismatches(["x-h", "y-h"])) whoLies.add(mismatch);
    assert.deepEqual(whoLies.review(1_000), []);
    assert.deepEqual(whoLies.review(1_000 + HOLD_MS - 1), []);
    const resumed = new WhoLies({}, JSON.parse(JSON.stringify(whoLies.memory)));
    for (const mismatch of mismatches(["x-h", "y-h"])) resumed.add(mismatch);
    assert.deepEqual(
      resumed.review(1_000 + HOLD_MS).map((one) => one.node),
      ["h"],
    );
    const more = { id: "n", kind: "missing-half", atMs: 0 };
    resumed.add({ ...more, nodes: ["x", "a"] });
    resumed.add({ ...more, id: "n2", nodes: ["b", "x"] });
    assert.deepEqual(resumed.review(2_000 + HOLD_MS), []);
    resumed.remove("n");
    resumed.remove("n2");
    resumed.remove("unknown");
    assert.deepEqual(resumed.review(2_000 + 2 * HOLD_MS), []);
    assert.deepEqual(
      resumed.review(2_000 + 3 * HOLD_MS).map((one) => one.node),
      ["h"],
    );
  });

  it("costs nothing new while the pairs stand", () => {
    const whoLies = new WhoLies();
    const [first] = mismatches(["x-a"]);
    assert.ok(first !== undefined);
    whoLies.add(first);
    const { version } = whoLies.graph;
    whoLies.add(first);
    whoLies.add({ ...first, id: "another" });
    whoLies.add({ ...first, id: "with itself", nodes: ["x", "x"] });
    whoLies.remove("another");
    assert.deepEqual([whoLies.graph.version, whoLies.graph.mismatchCount], [version, 1]);
    whoLies.remove("m0");
    assert.deepEqual([whoLies.graph.version > version, whoLies.graph.mismatchCount], [true, 0]);
  });
});

/** Liars in conspiracies of at most f; nobody is lied about by two of these. */
function conspiracies(
  random: SeededRandom,
  maxLiars: number,
): { pairs: PairText[]; victims: Map<string, Set<string>> } {
  const pairs: PairText[] = [];
  const victims = new Map<string, Set<string>>();
  const liars: string[] = [];
  for (let group = 0; group < random.integer(1, 12); group++) {
    const honest = Array.from({ length: random.integer(1, 8) }, (_, at) => `h${group}.${at}`);
    for (let member = 0; member < random.integer(1, Math.max(1, maxLiars)); member++) {
      const liar = `l${group}.${member}`;
      const lied = honest.filter(() => random.chance(0.6));
      victims.set(liar, new Set(lied));
      for (const victim of lied)
        pairs.push(random.chance() ? `${liar}-${victim}` : `${victim}-${liar}`);
      for (const other of liars) if (random.chance(0.1)) pairs.push(`${liar}-${other}`);
      liars.push(liar);
    }
  }
  return { pairs: random.shuffled(pairs), victims };
}

describe("the theorem", () => {
  for (const maxLiars of [1, 2, 3]) {
    it(`holds in 3,000 random meshes with conspiracies of ${maxLiars}`, () => {
      const random = new SeededRandom(maxLiars);
      for (let trial = 0; trial < 3_000; trial++) {
        const { pairs, victims } = conspiracies(random, maxLiars);
        const accused = new Set(told(mismatches(pairs), maxLiars).map((one) => one.node));
        for (const node of accused)
          assert.ok(node.startsWith("l"), `${node} of ${pairs.join(" ")}`);
        for (const [liar, lied] of victims) {
          if (lied.size > maxLiars) assert.ok(accused.has(liar), `${liar} of ${pairs.join(" ")}`);
        }
      }
    });
  }

  it("is more than kept: a hub about which many lie is not accused while each has two victims beside", () => {
    const random = new SeededRandom(8);
    for (let trial = 0; trial < 1_000; trial++) {
      const pairs: PairText[] = [];
      const liars = random.integer(1, 40);
      for (let liar = 0; liar < liars; liar++) {
        pairs.push(`l${liar}-hub`, `l${liar}-h${liar}.0`, `h${liar}.1-l${liar}`);
      }
      const accused = told(mismatches(random.shuffled(pairs)));
      assert.equal(accused.length, liars);
      assert.ok(accused.every((one) => one.node !== "hub" && one.witnesses.length === 3));
    }
  });
});

/** Every set of liars is tried: in all cheapest ones, with more than f against it that are in none. */
function bruteForce(
  pairs: readonly (readonly [number, number])[],
  nodes: number,
  maxLiars: number,
): number[] {
  let best = Infinity;
  let [every, any] = [0, 0];
  for (let liars = 0; liars < 2 ** nodes; liars++) {
    let cost = 0;
    for (let node = 0; node < nodes; node++) if (liars & (1 << node)) cost += maxLiars + 0.5;
    for (const [one, other] of pairs) if (!(liars & (1 << one)) && !(liars & (1 << other))) cost++;
    if (cost < best) [best, every, any] = [cost, liars, 0];
    if (cost > best) continue;
    every &= liars;
    any |= liars;
  }
  return Array.from({ length: nodes }, (_, node) => node).filter((node) => {
    if (!(every & (1 << node))) return false;
    const against = pairs.flatMap(([one, other]) =>
      one === node ? [other] : other === node ? [one] : [],
    );
    return against.filter((peer) => !(any & (1 << peer))).length > maxLiars;
  });
}

it("the search finds what trying every set of liars finds, in 4,000 random graphs", () => {
  const random = new SeededRandom(4);
  let accusations = 0;
  for (let trial = 0; trial < 4_000; trial++) {
    const nodes = random.integer(2, 9);
    const density = random.fraction();
    const pairs: [number, number][] = [];
    for (let one = 0; one < nodes; one++) {
      for (let other = 0; other < one; other++)
        if (random.chance(density)) pairs.push([one, other]);
    }
    const maxLiars = random.integer(0, 3);
    const found = told(mismatches(pairs.map(([one, other]) => `${one}-${other}`)), maxLiars);
    const accused = found.map((one) => Number(one.node));
    assert.deepEqual(
      accused,
      bruteForce(pairs, nodes, maxLiars),
      JSON.stringify({ pairs, maxLiars }),
    );
    accusations += accused.length;
  }
  assert.ok(accusations > 500, `only ${accusations} accusations were compared`);
});

describe("cost", () => {
  it("a knot too large to search accuses nobody", () => {
    const pairs: PairText[] = [];
    for (let one = 0; one < 40; one++)
      for (let other = 0; other < one; other++) pairs.push(`n${one}-n${other}`);
    assert.deepEqual(told(mismatches(pairs)), []);
  });

  it("100,000 mismatches of 5,000 nodes, 500 of which lie, are searched whole", () => {
    const random = new SeededRandom(6);
    const whoLies = new WhoLies();
    for (let at = 0; at < 100_000; at++) {
      const nodes: [string, string] = [`l${random.below(500)}`, `h${random.below(4_500)}`];
      whoLies.add({ id: `m${at}`, kind: "missing-half", nodes, atMs: at });
    }
    whoLies.review(0);
    assert.equal(whoLies.review(HOLD_MS).length, 500);
  });
});
