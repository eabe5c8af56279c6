import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../std/seeded-random.ts";
import { capitalOf } from "./concentration.ts";
import { type Abuse, ExcuseBudget, type ProducibleCause } from "./excuse-budget.ts";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Of one node: at a time of the server's, with a peer. */
interface Connection {
  readonly atMs: number;
  readonly peer: string;
  readonly isLost: boolean;
}

/** A time with losses, and a minute's quiet after it, as the server hears of it. */
function live(
  budget: ExcuseBudget,
  connections: readonly Connection[],
  cause: ProducibleCause = "gap",
): void {
  budget.declare();
  let lastMs = 0;
  for (const { atMs, peer, isLost } of connections) {
    lastMs = Math.max(lastMs, atMs);
    if (isLost) budget.excused({ peer, atMs, cause, isOverload: false });
    else budget.compared({ peer, atMs, isOverload: false });
  }
  budget.settle(lastMs + 10_000);
  budget.settle(lastMs + 45_000);
}

function fresh(): ExcuseBudget {
  const budget = new ExcuseBudget();
  budget.settle(START_MS);
  return budget;
}

function concentrations(budget: ExcuseBudget): Abuse[] {
  return budget.verdicts().filter((one) => one.kind === "concentration");
}

/** A node's ordinary traffic: who its peers are, and how much it has to do with each. */
class Traffic {
  readonly random: SeededRandom;
  readonly perSecond: number;
  readonly #weights: number[];

  constructor(
    random: SeededRandom,
    peers = random.integer(1, 8),
    perSecond = 0.2 * 2 ** random.integer(0, 4),
  ) {
    this.random = random;
    this.perSecond = perSecond;
    this.#weights = Array.from({ length: peers }, () => random.fraction() ** 3 + 0.01);
  }

  peer(): string {
    let left = this.random.fraction() * this.#weights.reduce((sum, one) => sum + one, 0);
    const at = this.#weights.findIndex((weight) => (left -= weight) < 0);
    return `p${Math.max(0, at)}`;
  }

  anyPeer(): string {
    return `p${this.random.below(this.#weights.length)}`;
  }

  /** Times of ordinary connections. */
  *during(
    fromMs: number,
    toMs: number,
    perSecond = this.perSecond,
  ): Generator<{ atMs: number; peer: string }> {
    for (let atMs = fromMs; ;) {
      atMs += Math.round((-Math.log(1 - this.random.fraction()) * 1000) / perSecond);
      if (atMs >= toMs) return;
      yield { atMs, peer: this.peer() };
    }
  }

  burst(
    peer: string,
    count: number,
    fromMs: number,
    forMs: number,
  ): { atMs: number; peer: string }[] {
    return Array.from({ length: count }, () => ({ peer, atMs: fromMs + this.random.below(forMs) }));
  }
}

type Sight = { atMs: number; peer: string };

/** Nobody listens for some seconds; whatever began then is lost, the burst that fell into it too. */
function restart(traffic: Traffic, atMs: number): Connection[] {
  const { random } = traffic;
  const [fromMs, toMs] = [atMs, atMs + random.integer(500, 10_000)];
  const seen: Sight[] = [...traffic.during(atMs - 15_000, toMs + 15_000)];
  if (random.chance(0.6)) {
    seen.push(
      ...traffic.burst(
        traffic.anyPeer(),
        random.integer(2, 60),
        atMs + random.integer(-300, 2_000),
        random.integer(20, 1_000),
      ),
    );
  }
  return seen.map((one) => ({ ...one, isLost: one.atMs >= fromMs && one.atMs <= toMs }));
}

/** The reader lags behind a burst: runs of events are lost in the middle and after it, whosever they are. */
function overflow(traffic: Traffic, atMs: number): Connection[] {
  const { random } = traffic;
  const peer = traffic.anyPeer();
  const seen: Sight[] = [
    ...traffic.during(atMs - 8_000, atMs + 8_000),
    ...traffic.burst(peer, random.integer(50, 150), atMs, random.integer(50, 900)),
  ].sort((a, b) => a.atMs - b.atMs);
  const first = seen.findIndex((one) => one.atMs >= atMs) + random.integer(20, 60);
  const run = random.integer(1, 80);
  return seen.map((one, at) => ({ ...one, isLost: at >= first && at < first + run }));
}

/** For some seconds there is more than can be read, by and large of one peer: a fifth is lost, in runs. */
function overload(traffic: Traffic, atMs: number): Connection[] {
  const { random } = traffic;
  const busy = traffic.anyPeer();
  const share = random.fraction();
  const seen = [...traffic.during(atMs, atMs + 4_000, 40)].map((one) =>
    random.chance(share) ? { ...one, peer: busy } : one,
  );
  let left = 0;
  return seen.map((one) => {
    if (left === 0 && random.chance(0.02)) left = random.integer(1, 20);
    const isLost = left > 0;
    if (isLost) left--;
    return { ...one, isLost };
  });
}

/** The bounded spool gave up its oldest minute. */
function eviction(traffic: Traffic, atMs: number): Connection[] {
  const toMs = atMs + traffic.random.integer(5_000, 30_000);
  return [...traffic.during(atMs - 10_000, toMs + 10_000)].map((one) => ({
    ...one,
    isLost: one.atMs >= atMs && one.atMs <= toMs,
  }));
}

/** Lives through one loss after the other, and says how far it came towards an accusation. */
function endure(
  traffic: Traffic,
  losses: number,
  loss: (traffic: Traffic, atMs: number) => Connection[],
): ExcuseBudget {
  const budget = fresh();
  for (let at = 1; at <= losses; at++) {
    live(budget, loss(traffic, START_MS + at * 2 * MINUTE_MS));
    assert.deepEqual(concentrations(budget), []);
    for (const suspicion of Object.values(budget.state.suspicions)) {
      assert.ok(capitalOf(suspicion) < 1_000, `capital ${capitalOf(suspicion)}`);
    }
  }
  return budget;
}

describe("an honest node is never said to hide a peer", () => {
  const kinds = { restart, overflow, overload, eviction };
  for (const [name, kind] of Object.entries(kinds)) {
    it(`by each ${name}, with bursts, in 300 trials`, () => {
      const random = new SeededRandom(name.length);
      for (let trial = 0; trial < 300; trial++) endure(new Traffic(random.fork()), 12, kind);
    });
  }

  it("by all of these, in 1,000 trials", () => {
    const random = new SeededRandom(1);
    for (let trial = 0; trial < 1_000; trial++) {
      endure(new Traffic(random.fork()), 12, (traffic, atMs) =>
        random.pick(Object.values(kinds))(traffic, atMs),
      );
    }
  });

  it("by a job that overflows the kernel every two minutes for ten hours with its burst to one peer", () => {
    for (const perSecond of [0.5, 5, 50]) {
      const traffic = new Traffic(new SeededRandom(perSecond), 6, perSecond);
      endure(traffic, 300, (_, atMs) => {
        const seen: Sight[] = [
          ...traffic.during(atMs - 3_000, atMs + 3_000),
          ...traffic.burst("p5", 400, atMs, 200),
        ].sort((a, b) => a.atMs - b.atMs);
        const first = seen.findIndex((one) => one.atMs >= atMs) + 300;
        return seen.map((one, at) => ({ ...one, isLost: at >= first && at < first + 90 }));
      });
    }
  });

  it("by restarts while all its traffic is with one peer", () => {
    const traffic = new Traffic(new SeededRandom(2), 1, 2);
    endure(traffic, 100, restart);
  });

  it("by restarts that somebody orders from one peer, twelve a day", () => {
    const traffic = new Traffic(new SeededRandom(3), 6, 1);
    const budget = fresh();
    for (let at = 1; at <= 60; at++) {
      const atMs = START_MS + at * 2 * HOUR_MS;
      const seen = [...traffic.during(atMs - 10_000, atMs + 10_000)];
      const others = seen.map((one) => ({ ...one, isLost: false }));
      live(budget, [...others, { atMs, peer: "p0", isLost: true }], "restart");
      assert.deepEqual(concentrations(budget), []);
    }
  });
});

describe("a liar that hides one peer of five", () => {
  const table: [what: string, perSecond: number, hiddenMax: number, hides: number][] = [
    ["of few connections", 0.1, 60, 1],
    ["of some", 1, 70, 1],
    ["of many, before the first are looked at", 10, 200, 1],
    ["in half of the cases", 1, 70, 0.5],
  ];
  for (const [what, perSecond, hiddenMax, hides] of table) {
    it(`is found after some dozens ${what}`, () => {
      for (let seed = 0; seed < 20; seed++) {
        const hidden = hideOne({ seed, perSecond, hides });
        assert.ok(hidden <= hiddenMax, `${hidden} hidden`);
      }
    });
  }

  it("excuses nothing with that peer from then on, and others all the same", () => {
    const budget = fresh();
    hideOne({ seed: 1, perSecond: 1, hides: 1, budget });
    assert.deepEqual([budget.mayExcuse("p0"), budget.mayExcuse("p1")], [false, true]);
    const [abuse, ...rest] = budget.verdicts();
    assert.equal(rest.length, 0);
    assert.ok(abuse?.kind === "concentration" && abuse.peer === "p0");
    assert.ok(abuse.pValue <= 1e-9 && abuse.lost >= 8 && abuse.rounds >= 8);
    const { tickMs } = budget.state;
    budget.settle(tickMs + 25 * HOUR_MS);
    budget.settle(tickMs + 50 * HOUR_MS);
    assert.equal(budget.mayExcuse("p0"), true);
  });
});

interface Hiding {
  readonly seed: number;
  readonly perSecond: number;
  readonly hides: number;
  readonly budget?: ExcuseBudget;
}

/** Steady traffic with five peers, and one of them behind declared gaps; how many connections until it is found. */
function hideOne({ seed, perSecond, hides, budget = fresh() }: Hiding): number {
  const random = new SeededRandom(seed);
  let hidden = 0;
  let tickMs = START_MS;
  budget.declare();
  for (let atMs = START_MS; hidden < 10_000;) {
    atMs += Math.round((-Math.log(1 - random.fraction()) * 1000) / perSecond);
    for (; tickMs < atMs; tickMs += 5_000) budget.settle(tickMs);
    const peer = `p${random.below(5)}`;
    if (peer !== "p0" || !random.chance(hides)) {
      budget.compared({ peer, atMs, isOverload: false });
      continue;
    }
    if (!budget.mayExcuse(peer)) return hidden;
    hidden++;
    budget.excused({ peer, atMs, cause: "gap", isOverload: false });
  }
  return hidden;
}

/** A minute with so many excused connections, and so many that both ends have. */
function minute(budget: ExcuseBudget, excused: number, compared: number): void {
  const atMs = budget.state.tickMs;
  for (let at = 0; at < compared; at++) budget.countCompared(false);
  for (let at = 0; at < excused; at++) {
    budget.excused({ peer: `p${at % 7}`, atMs, cause: "restart", isOverload: false });
  }
  budget.settle(atMs + 60_000);
}

describe("the budget of a day", () => {
  interface Day {
    readonly excused: number;
    readonly connections: number;
    readonly isOverload?: boolean;
    readonly hours?: number;
  }
  /** So many in a day, or in these hours. */
  function day(
    budget: ExcuseBudget,
    { excused, connections, isOverload = false, hours = 24 }: Day,
  ): void {
    for (let hour = 0; hour < hours; hour++) {
      const atMs = budget.state.tickMs;
      const compared = (connections - excused) / hours;
      for (let at = 0; at < compared; at++) budget.countCompared(isOverload);
      for (let at = 0; at < excused / hours; at++) {
        budget.excused({
          peer: `p${at % 7}`,
          atMs: atMs + at * 1_000,
          cause: "restart",
          isOverload,
        });
      }
      budget.settle(atMs + HOUR_MS);
    }
  }

  const table: [what: string, days: Day[], isOver: boolean][] = [
    ["nothing lost", [{ excused: 0, connections: 24_000 }], false],
    ["a few of many", [{ excused: 240, connections: 24_000 }], false],
    ["many of many", [{ excused: 2_400, connections: 24_000 }], true],
    ["a few of few", [{ excused: 24, connections: 48 }], false],
    ["most of few", [{ excused: 72, connections: 96 }], true],
    [
      "a fifth of an overload",
      [{ excused: 4_800, connections: 24_000, isOverload: true, hours: 4 }],
      false,
    ],
    [
      "a third of an overload",
      [{ excused: 8_400, connections: 24_000, isOverload: true, hours: 4 }],
      true,
    ],
    [
      "a fifth of an overload all day",
      [{ excused: 4_800, connections: 24_000, isOverload: true }],
      true,
    ],
    [
      "a few of an overload all day",
      [{ excused: 480, connections: 24_000, isOverload: true }],
      false,
    ],
    [
      "a fifth of an overload in a calm day",
      [
        { excused: 4_800, connections: 24_000, isOverload: true, hours: 4 },
        { excused: 24, connections: 4_800, hours: 18 },
      ],
      false,
    ],
  ];
  for (const [what, days, isOver] of table) {
    it(`${what}: ${isOver ? "no excuse counts any more" : "each excuse counts"}`, () => {
      const budget = fresh();
      for (const one of days) day(budget, one);
      assert.deepEqual(
        budget.verdicts().filter((one) => one.kind === "budget").length,
        isOver ? 1 : 0,
      );
      assert.equal(budget.mayExcuse("p1"), !isOver);
    });
  }

  it("is a share of an hour's connections while the node is compared for less", () => {
    const honest = fresh();
    for (let at = 0; at < 9; at++) minute(honest, at === 5 ? 300 : 0, at === 5 ? 0 : 300);
    assert.equal(honest.mayExcuse("p1"), true);
    const hiding = fresh();
    for (let at = 0; at < 60; at++) minute(hiding, 30, 270);
    assert.equal(hiding.mayExcuse("p1"), false);
  });

  it("says what was excused by which cause, and is free again a day later", () => {
    const budget = fresh();
    day(budget, { excused: 2_400, connections: 24_000 });
    const [abuse] = budget.verdicts();
    assert.ok(abuse?.kind === "budget");
    assert.deepEqual(
      [abuse.circumstance, abuse.excused, abuse.connections, abuse.causes],
      ["calm", 2_300, 23_000, { restart: 2_300 }],
    );
    budget.settle(budget.state.tickMs + 25 * HOUR_MS);
    assert.deepEqual([budget.verdicts(), budget.mayExcuse("p1")], [[], true]);
  });
});

describe("what is remembered", () => {
  it("does not depend on the order between two ticks", () => {
    const random = new SeededRandom(4);
    const traffic = new Traffic(random, 5, 3);
    const connections = overflow(traffic, START_MS + MINUTE_MS);
    const shown = [connections, random.shuffled(connections), connections.toReversed()].map(
      (order) => {
        const budget = fresh();
        live(budget, order);
        return JSON.stringify([budget.state.suspicions, budget.state.hours, budget.verdicts()]);
      },
    );
    assert.equal(shown[1], shown[0]);
    assert.equal(shown[2], shown[0]);
  });

  it("goes on from JSON as if nothing had been, in the midst of a round", () => {
    const hidden = [false, true].map((isResumed) => {
      const random = new SeededRandom(5);
      let budget = fresh();
      budget.declare();
      for (let at = 0; at < 400; at++) {
        const atMs = START_MS + at * 1_000;
        const peer = `p${random.below(5)}`;
        if (peer === "p0") budget.excused({ peer, atMs, cause: "gap", isOverload: false });
        else budget.compared({ peer, atMs, isOverload: false });
        if (at % 5 === 0) budget.settle(atMs);
        if (isResumed && at % 7 === 0)
          budget = new ExcuseBudget(JSON.parse(JSON.stringify(budget.state)));
      }
      return budget.state;
    });
    assert.deepEqual(hidden[1], hidden[0]);
    assert.equal(Object.keys(hidden[0]?.abuses ?? {}).length, 1);
  });

  it("is forgotten in minutes, and of nodes without losses nothing is kept but counts", () => {
    const budget = fresh();
    budget.compared({ peer: "a", atMs: START_MS, isOverload: false });
    assert.deepEqual([budget.isArmed, budget.state.slices], [false, {}]);
    budget.excused({ peer: "a", atMs: START_MS, cause: "gap", isOverload: false });
    assert.equal(budget.isArmed, true);
    budget.settle(START_MS + 4 * MINUTE_MS);
    assert.deepEqual(budget.state.slices, {});
    budget.settle(START_MS + 2 * HOUR_MS);
    assert.equal(budget.isArmed, false);
    budget.settle(START_MS + 30 * HOUR_MS);
    assert.deepEqual([budget.state.suspicions, Object.keys(budget.state.hours).length], [{}, 1]);
  });
});
