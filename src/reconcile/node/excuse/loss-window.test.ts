import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countIn, type LossRound, type Slices, takeRounds } from "./loss-window.ts";

type Sight = [atMs: number, peer: string, isExcused?: boolean];

const RIPE_MS = 30_000;

function rounds(sights: readonly Sight[], nowMs = RIPE_MS, slices: Slices = {}): LossRound[] {
  for (const [atMs, peer, isExcused = false] of sights) {
    countIn(slices, { peer, atMs, tickMs: 0, isExcused });
  }
  return takeRounds(slices, nowMs);
}

function every(stepMs: number, count: number, peer: string): Sight[] {
  return Array.from({ length: count }, (_, at) => [at * stepMs, peer]);
}

describe("a loss and its neighbourhood", () => {
  it("waits until its neighbours are decided", () => {
    const sights: Sight[] = [[0, "p", true]];
    assert.deepEqual(rounds(sights, RIPE_MS - 1), []);
    assert.equal(rounds(sights).length, 1);
  });

  it("is nothing without a loss", () => {
    assert.deepEqual(rounds(every(100, 50, "q")), []);
  });

  it("is as wide as it takes to have eight there, to both sides alike", () => {
    const [one] = rounds([...every(1_000, 100, "q"), [50_000, "p", true]]);
    assert.deepEqual(one?.connections.peers, [
      { peer: "p", there: 1, lost: 1 },
      { peer: "q", there: 7, lost: 0 },
    ]);
    assert.deepEqual(one.bursts, one.connections);
  });

  it("is never wider than a minute to either side", () => {
    const [one] = rounds([
      [0, "q"],
      [60_499, "q"],
      [60_500, "p", true],
      [121_500, "q"],
    ]);
    assert.deepEqual(one?.connections, {
      there: 2,
      lost: 1,
      peers: [
        { peer: "p", there: 1, lost: 1 },
        { peer: "q", there: 1, lost: 0 },
      ],
    });
  });

  it("counts a burst as many connections, and as one thing", () => {
    const burst: Sight[] = Array.from({ length: 60 }, () => [10_100, "q", true]);
    const [one] = rounds([...every(1_000, 20, "p"), ...burst]);
    assert.deepEqual(one?.connections.peers, [
      { peer: "p", there: 1, lost: 0 },
      { peer: "q", there: 60, lost: 60 },
    ]);
    assert.deepEqual(one.bursts.peers, [
      { peer: "p", there: 7, lost: 0 },
      { peer: "q", there: 1, lost: 1 },
    ]);
  });

  it("has each loss in one round only, and it as a neighbour in others", () => {
    const slices: Slices = {};
    const sights: Sight[] = [
      ...every(1_000, 30, "q"),
      [5_000, "p", true],
      [7_000, "p", true],
      [25_000, "p", true],
    ];
    const found = rounds(sights, RIPE_MS, slices);
    assert.deepEqual(
      found.map((one) => [one.atMs, one.connections.lost]),
      [
        [5_000, 2],
        [25_000, 1],
      ],
    );
    const [again] = rounds([[6_000, "q", true]], RIPE_MS, slices);
    assert.deepEqual(again?.connections.peers[0], { peer: "p", there: 2, lost: 0 });
  });

  it("is forgotten after three minutes", () => {
    const slices: Slices = {};
    rounds(every(1_000, 30, "q"), 180_000, slices);
    assert.equal(Object.keys(slices).length, 30);
    takeRounds(slices, 180_001);
    assert.deepEqual(slices, {});
  });
});
