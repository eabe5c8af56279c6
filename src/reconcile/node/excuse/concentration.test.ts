import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { capitalOf, forgetBefore, lostIn, noteRound, type Suspicions } from "./concentration.ts";
import type { Losses, LossRound } from "./loss-window.ts";

type Counts = Record<string, [there: number, lost: number]>;

function losses(counts: Counts): Losses {
  const peers = Object.entries(counts).map(([peer, [there, lost]]) => ({ peer, there, lost }));
  const sum = (of: "there" | "lost"): number => peers.reduce((total, one) => total + one[of], 0);
  return { there: sum("there"), lost: sum("lost"), peers };
}

function round(connections: Counts, bursts = connections, atMs = 0): LossRound {
  return { atMs, connections: losses(connections), bursts: losses(bursts) };
}

function timesOf(one: LossRound, peer: string): number | undefined {
  const suspicions: Suspicions = {};
  noteRound(suspicions, one);
  return suspicions[peer]?.rounds[0]?.times;
}

describe("what one round says against a node", () => {
  const table: [what: string, one: LossRound, times: number | undefined][] = [
    ["one peer of five is lost", round({ p: [2, 2], q: [8, 0] }), 1 / (1.5 * 0.2)],
    ["one of it is", round({ p: [2, 1], q: [8, 0] }), 1 / (1.5 * 0.2)],
    ["half of what is lost", round({ p: [2, 1], q: [8, 1] }), 0.5 / (1.5 * 0.2)],
    ["as much as of the others: nothing", round({ p: [2, 1], q: [8, 4] }), undefined],
    ["all there was: nothing", round({ p: [8, 8] }), undefined],
    ["two thirds of what there is: nothing", round({ p: [6, 6], q: [3, 0] }), undefined],
    ["somebody else: nothing", round({ p: [2, 0], q: [8, 3] }), undefined],
    ["no loss: nothing", round({ p: [2, 0], q: [8, 0] }), undefined],
    ["a rare peer: no more than four times", round({ p: [1, 1], q: [999, 0] }), 4],
    [
      "a burst to it, in which all that was lost was its own: nothing",
      round({ p: [90, 30], q: [10, 0] }, { p: [1, 1], q: [8, 0] }),
      undefined,
    ],
    [
      "one beside a burst to another, which is one thing and no ninety",
      round({ p: [2, 1], q: [90, 0] }, { p: [2, 1], q: [4, 0] }),
      2,
    ],
  ];
  for (const [what, one, times] of table) {
    it(what, () => {
      const found = timesOf(one, "p");
      assert.ok(found === times || Math.abs((found ?? NaN) - (times ?? NaN)) < 1e-9, `${found}`);
    });
  }
});

const AGAINST = round({ p: [2, 1], q: [8, 0] });
const FOR = round({ p: [2, 0], q: [8, 1] });

describe("the capital", () => {
  it("grows with each round against the node, shrinks with each one for it, and never is in debt", () => {
    const suspicions: Suspicions = {};
    noteRound(suspicions, FOR);
    assert.equal(suspicions["p"], undefined);
    const capitals = [AGAINST, AGAINST, FOR, FOR, FOR, FOR, FOR, FOR, FOR, AGAINST].map((one) => {
      noteRound(suspicions, one);
      return capitalOf(suspicions["p"] ?? { rounds: [] });
    });
    const [first = 0, second = 0, third = 0] = capitals;
    assert.ok(1 < first && first < second && third < second);
    // After so many rounds for it, one against it is worth as much as the first was.
    assert.ok(Math.abs((capitals.at(-1) ?? 0) - first) < 0.3 * first);
  });

  it("is enough for an abuse after seventeen rounds of one peer in five", () => {
    const suspicions: Suspicions = {};
    const capitals = Array.from({ length: 25 }, () => {
      noteRound(suspicions, AGAINST);
      return capitalOf(suspicions["p"] ?? { rounds: [] });
    });
    const enough = 1 + capitals.findIndex((one) => one >= 1e9);
    assert.ok(enough >= 17 && enough <= 21, `${enough}`);
  });
});

it("a day later nothing is remembered, and of a day no more than 256 rounds", () => {
  const suspicions: Suspicions = {};
  for (let at = 0; at < 300; at++) noteRound(suspicions, { ...AGAINST, atMs: at });
  assert.equal(lostIn(suspicions["p"] ?? { rounds: [] }), 256);
  forgetBefore(suspicions, 86_400_000 + 100);
  assert.equal(lostIn(suspicions["p"] ?? { rounds: [] }), 200);
  forgetBefore(suspicions, 86_400_000 + 300);
  assert.deepEqual(suspicions, {});
});
