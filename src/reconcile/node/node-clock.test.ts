import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import { CONFIRMED_MS, NodeClock, type Step, UNKNOWN_MS } from "./node-clock.ts";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TICK_MS = 5_000;

interface Machine {
  /** The wall clock minus the server's, at the beginning. */
  readonly offsetMs?: number;
  /** How fast the uptime runs. */
  readonly ppm?: number;
  readonly delayMs?: (random: SeededRandom) => number;
  readonly everyMs?: number;
  readonly seed?: number;
}

/** A machine, its way to the server, and the server's ticks. Times without a name are the server's. */
class World {
  readonly clock = new NodeClock();
  readonly random: SeededRandom;
  readonly steps: Step[] = [];
  nowMs = START_MS;
  /** By the server's clock and by the node's. */
  bornMs = START_MS - HOUR_MS;
  bootAtMs: number;
  #machine: Required<Machine>;
  #lastReceivedMs = 0;
  #backlog: { closedAtMs: number; bootAtMs: number }[] = [];

  constructor({
    offsetMs = 0,
    ppm = 0,
    delayMs = (random) => 1 + random.below(200),
    everyMs = 10_000,
    seed = 1,
  }: Machine) {
    this.#machine = { offsetMs, ppm, delayMs, everyMs, seed };
    this.random = new SeededRandom(seed);
    this.bootAtMs = this.bornMs + offsetMs;
  }

  get uptimeMs(): number {
    return (this.nowMs - this.bornMs) * (1 + this.#machine.ppm / 1e6);
  }

  /** The node's wall clock, to the millisecond as agents have it. */
  get wallMs(): number {
    return Math.round(this.bootAtMs + this.uptimeMs);
  }

  get trueOffsetMs(): number {
    return this.bootAtMs + this.uptimeMs - this.nowMs;
  }

  /** How wrong a stamp of now is once corrected. */
  get errorMs(): number {
    return this.clock.toServerMs(this.wallMs, Math.round(this.bootAtMs)) - this.nowMs;
  }

  /** Time passes with batches and ticks; `look` after each tick. */
  run(forMs: number, options: { online?: boolean; look?: () => void } = {}): this {
    const { everyMs, delayMs } = this.#machine;
    const endMs = this.nowMs + forMs;
    for (; this.nowMs < endMs; this.nowMs += TICK_MS) {
      if (this.nowMs % everyMs < TICK_MS) {
        this.#backlog.push({ closedAtMs: this.wallMs, bootAtMs: Math.round(this.bootAtMs) });
      }
      if (options.online !== false) this.send(20, delayMs(this.random));
      this.clock.settle(this.nowMs + TICK_MS);
      options.look?.();
    }
    return this;
  }

  /** At most so many of what waits. */
  send(batches: number, delayMs: number): void {
    for (const times of this.#backlog.splice(0, batches)) {
      this.#lastReceivedMs = Math.max(this.#lastReceivedMs, Math.round(this.nowMs + delayMs));
      const step = this.clock.batch(times, this.#lastReceivedMs);
      if (step !== undefined) this.steps.push(step);
    }
  }

  /** The clock is set. */
  set(byMs: number): this {
    this.bootAtMs += byMs;
    return this;
  }

  /** Off for a while; the wall clock comes back off by `byMs`. */
  reboot(offForMs: number, byMs = 0): this {
    const offsetMs = this.trueOffsetMs + byMs;
    this.nowMs += offForMs;
    this.bornMs = this.nowMs;
    this.bootAtMs = this.bornMs + offsetMs;
    this.clock.boot();
    return this;
  }
}

function near(value: number, expected: number, byMs: number, what: string): void {
  assert.ok(
    Math.abs(value - expected) <= byMs,
    `${what}: ${value}, expected ${expected} ± ${byMs}`,
  );
}

describe("an offset is found from the batches alone", () => {
  const table: [offsetMs: number, ppm: number][] = [
    [0, 0],
    [10_000, 20],
    [-10_000, -20],
    [30_000, 50],
    [-30_000, -50],
    [3_600_000, 100],
  ];
  for (const [offsetMs, ppm] of table) {
    it(`${offsetMs} ms, ${ppm} ppm, over a day`, () => {
      const world = new World({ offsetMs, ppm, seed: offsetMs >>> 0 });
      let worstMs = 0;
      const look = (): void => {
        if (!world.clock.isKnown) return;
        worstMs = Math.max(worstMs, Math.abs(world.errorMs));
        assert.ok(Math.abs(world.errorMs) < world.clock.uncertaintyMs);
      };
      world.run(24 * HOUR_MS, { look });
      assert.ok(worstMs < 260, `worst error ${worstMs} ms`);
      assert.equal(world.clock.isKnown, true);
      near(world.clock.uncertaintyMs, CONFIRMED_MS, 5, "uncertainty");
      near(world.clock.offsetMs, world.trueOffsetMs, 130, "offset");
      near(world.clock.driftPpm, ppm, 5, "drift");
      assert.deepEqual(world.steps, []);
    });
  }
});

describe("what is known", () => {
  it("is nothing before batches came, and only then the tolerance is left", () => {
    const world = new World({ everyMs: 5_000 });
    assert.deepEqual(
      [world.clock.isKnown, world.clock.uncertaintyMs, world.clock.toServerMs(7, 3)],
      [false, UNKNOWN_MS, 7],
    );
    world.run(5_000);
    assert.equal(world.clock.isKnown, false);
    world.run(30_000);
    assert.equal(world.clock.isKnown, true);
  });

  it("is not taken from a backlog, however fast it is sent", () => {
    for (const perTick of [2, 3, 20, 200]) {
      const world = new World({ offsetMs: 5_000, everyMs: 5_000 });
      world.run(2 * HOUR_MS, { online: false });
      for (let at = 0; at < 1_440; at++) {
        world.send(perTick - 1, 50);
        world.run(TICK_MS, {
          look: () => {
            if (world.clock.isKnown) near(world.errorMs, 0, 250, `${perTick} a tick, ${at}`);
          },
        });
      }
      assert.equal(world.clock.isKnown, true);
    }
  });

  it("is in doubt while only late batches come, and again certain with the first that did not wait", () => {
    const world = new World({ offsetMs: -8_000 }).run(HOUR_MS);
    world.run(10 * MINUTE_MS, { online: false });
    world.send(30, 0);
    world.clock.settle(world.nowMs);
    assert.equal(world.clock.uncertaintyMs, UNKNOWN_MS);
    near(world.errorMs, 0, 250, "the estimate stands all the same");
    world.run(MINUTE_MS);
    assert.equal(world.clock.isKnown, true);
  });
});

describe("an outage", () => {
  for (const [hours, ppm] of [
    [1, 50],
    [6, -50],
    [12, 50],
    [24, 80],
  ] as const) {
    it(`of ${hours} h at ${ppm} ppm is bridged by the drift, and its backlog moves nothing`, () => {
      const world = new World({ offsetMs: 10_000, ppm, seed: hours }).run(6 * HOUR_MS);
      const look = (): void =>
        assert.ok(Math.abs(world.errorMs) < 600, `${world.errorMs} ms off, ${ppm} ppm`);
      world.run(hours * HOUR_MS, { online: false, look });
      const grownMs = CONFIRMED_MS + hours * HOUR_MS * 1e-4;
      near(world.clock.uncertaintyMs, grownMs, 30, "uncertainty grows");
      world.run(2 * HOUR_MS, { look });
      near(world.errorMs, 0, 250, "after");
      assert.equal(world.clock.isKnown, true);
    });
  }

  it("before any drift was known leaves an error within the uncertainty, which batches then take away", () => {
    for (const ppm of [-90, 90]) {
      const world = new World({ ppm }).run(5 * MINUTE_MS);
      const look = (): void => assert.ok(Math.abs(world.errorMs) < world.clock.uncertaintyMs);
      world.run(12 * HOUR_MS, { online: false, look });
      world.run(20 * MINUTE_MS, { look });
      near(world.errorMs, 0, 250, `${ppm} ppm`);
    }
  });
});

describe("a clock that is set", () => {
  for (const byMs of [1_500, -1_500, 30_000, -30_000, 86_400_000, -86_400_000]) {
    it(`by ${byMs} ms is told, and no time after it is off`, () => {
      const world = new World({ offsetMs: 2_000 }).run(HOUR_MS);
      const [oldWallMs, oldBootMs] = [world.wallMs, Math.round(world.bootAtMs)];
      const thenMs = world.nowMs;
      world.set(byMs).run(MINUTE_MS, { look: () => near(world.errorMs, 0, 210, "after") });
      near(world.clock.toServerMs(oldWallMs, oldBootMs), thenMs, 210, "before");
      assert.equal(world.clock.isKnown, true);
      const [step, ...rest] = world.steps;
      assert.equal(rest.length, 0);
      assert.equal(step?.byMs, byMs);
      assert.ok(step.fromMs <= oldWallMs && oldWallMs <= step.toMs);
      assert.ok(step.toMs - step.fromMs <= 11_000);
    });
  }

  it("slowly, as time servers do, is no step", () => {
    const world = new World({ offsetMs: 20_000 }).run(MINUTE_MS);
    for (let at = 0; at < 200; at++) world.set(-100).run(10_000);
    assert.deepEqual(world.steps, []);
    near(world.errorMs, 0, 210, "after");
    near(world.clock.offsetMs, 0, 210, "offset");
  });
});

describe("a reboot", () => {
  for (const byMs of [0, 5_000, -5_000, 3 * HOUR_MS, -3 * HOUR_MS]) {
    it(`after which the wall clock is off by ${byMs} ms is no step, and soon known again`, () => {
      const world = new World({ offsetMs: 4_000, ppm: 20 }).run(2 * HOUR_MS);
      const [oldWallMs, oldBootMs, thenMs] = [
        world.wallMs,
        Math.round(world.bootAtMs),
        world.nowMs,
      ];
      world.reboot(3 * MINUTE_MS, byMs);
      world.run(TICK_MS);
      assert.equal(world.clock.isKnown, false);
      world.run(MINUTE_MS);
      assert.equal(world.clock.isKnown, true);
      near(world.errorMs, 0, 210, "after");
      near(world.clock.toServerMs(oldWallMs, oldBootMs), thenMs, 250, "before");
      assert.deepEqual(world.steps, []);
      near(world.clock.driftPpm, 20, 10, "the oscillator is the same");
    });
  }

  it("leaves what was stamped before it to the clock of before", () => {
    const world = new World({ offsetMs: 60_000 }).run(HOUR_MS);
    const [oldWallMs, thenMs] = [world.wallMs, world.nowMs];
    world.reboot(MINUTE_MS, 5_000).run(MINUTE_MS);
    near(world.clock.toServerMs(oldWallMs, Math.round(world.bootAtMs)), thenMs, 250, "before");
  });

  it("is seen by an uptime that went back, though no start told of it", () => {
    const world = new World({}).run(HOUR_MS);
    world.reboot(MINUTE_MS, 7_000);
    world.clock.state.bootExpected = false;
    world.run(MINUTE_MS);
    assert.deepEqual(world.steps, []);
    near(world.errorMs, 0, 210, "after");
  });

  it("is taken for a wall clock that went on, until the next tick", () => {
    const world = new World({ offsetMs: 50_000 }).run(HOUR_MS);
    world.reboot(10 * MINUTE_MS);
    const { wallMs: closedAtMs, nowMs } = world;
    const bootAtMs = Math.round(world.bootAtMs);
    world.clock.batch({ closedAtMs, bootAtMs }, nowMs + 5);
    near(world.errorMs, 0, 210, "before the tick");
    world.clock.settle(nowMs);
    near(world.errorMs, 0, 210, "after it");
  });

  it("that the first start tells of is none", () => {
    const world = new World({});
    world.clock.boot();
    world.run(MINUTE_MS).set(9_000).run(MINUTE_MS);
    assert.deepEqual([world.steps.length, world.clock.state.boot], [1, 0]);
  });

  it("told twice is one", () => {
    const world = new World({}).run(HOUR_MS).reboot(MINUTE_MS).run(MINUTE_MS);
    world.clock.boot();
    world.run(20_000);
    assert.equal(world.clock.isKnown, true);
    assert.equal(world.clock.state.boot, 1);
  });
});

it("a machine that stood still is in doubt until its steady delay is believed, and then unknown until pairs agree", () => {
  const world = new World({ offsetMs: 1_000 }).run(HOUR_MS);
  // Paused for an hour: the uptime stood still, and the wall clock with it until it is set.
  world.bornMs += HOUR_MS;
  world.nowMs += HOUR_MS;
  world.run(19 * MINUTE_MS);
  assert.equal(world.clock.isKnown, false);
  world.set(HOUR_MS).run(5 * MINUTE_MS);
  near(world.errorMs, 0, 250, "after");
  // By an hour it may be off for all that the batches tell, which is more than a known clock may be.
  assert.deepEqual([world.clock.isKnown, world.clock.uncertaintyMs], [false, UNKNOWN_MS]);
  for (let at = 0; at < 40; at++) world.clock.pair(3);
  world.run(10 * MINUTE_MS);
  assert.equal(world.clock.isKnown, true);
  near(world.clock.uncertaintyMs, CONFIRMED_MS, 5, "uncertainty");
});

it("a clock that may have drifted by more than what is allowed for is unknown, until a batch confirms it", () => {
  const world = new World({ ppm: 10 }).run(6 * HOUR_MS);
  // 100 ppm of 13 days are 112 s, of 14 days 121 s.
  for (const [days, isKnown] of [
    [13, true],
    [14, false],
  ] as const) {
    world.clock.settle(world.nowMs + days * 24 * HOUR_MS);
    assert.equal(world.clock.isKnown, isKnown, `${days} days`);
    assert.ok(world.clock.uncertaintyMs <= UNKNOWN_MS);
  }
  world.run(MINUTE_MS);
  assert.equal(world.clock.isKnown, true);
});

describe("a batch that came late makes the clock as uncertain as it is late, for it stood still no longer", () => {
  const table: [lateMs: number, isKnown: boolean, uncertaintyMs: number][] = [
    [600, true, CONFIRMED_MS],
    [7_000, true, CONFIRMED_MS + 8_192],
    [60_000, true, CONFIRMED_MS + 65_536],
    [70_000, false, UNKNOWN_MS],
  ];
  for (const [lateMs, isKnown, uncertaintyMs] of table) {
    it(`${lateMs} ms`, () => {
      const { clock, nowMs } = new World({}).run(HOUR_MS);
      const { lastClosedMs, lastUptimeMs, lastReceivedMs } = clock.state;
      const bootAtMs = lastClosedMs - lastUptimeMs;
      clock.batch({ closedAtMs: lastClosedMs + 1_000, bootAtMs }, lastReceivedMs + 1_000 + lateMs);
      clock.settle(nowMs + 1_000 + lateMs);
      assert.equal(clock.isKnown, isKnown);
      near(clock.uncertaintyMs, uncertaintyMs, 10, "uncertainty");
      near(
        clock.steadyMs,
        isKnown ? CONFIRMED_MS : UNKNOWN_MS,
        10,
        "what it is without being late",
      );
      clock.batch({ closedAtMs: lastClosedMs + 90_000, bootAtMs }, lastReceivedMs + 90_000);
      clock.settle(nowMs + 90_000);
      assert.equal(clock.isKnown, true);
      near(clock.uncertaintyMs, CONFIRMED_MS, 10, "on time again");
    });
  }
});

/**
 * Four hours of two nodes, each with its own least delay; returns how far apart one moment is for the
 * two. A pair is told so many buckets after its times were corrected.
 */
function apart(leastMs: readonly [number, number], pairsEach: number, late = 0): number {
  const apartMs: number[] = [];
  const [one, other] = leastMs.map(
    (ms) => new World({ delayMs: (random) => ms + random.below(50), seed: ms }),
  );
  assert.ok(one !== undefined && other !== undefined);
  for (let at = 0; at < 24; at++) {
    apartMs.push(one.errorMs - other.errorMs);
    for (let pair = 0; pair < pairsEach; pair++) {
      const residualMs = apartMs[Math.max(0, at - late)] ?? 0;
      one.clock.pair(residualMs);
      other.clock.pair(-residualMs);
    }
    one.run(10 * MINUTE_MS);
    other.run(10 * MINUTE_MS);
  }
  return Math.abs(one.errorMs - other.errorMs);
}

describe("what the node's clock showed at a time of the server's", () => {
  it("is where it stood then, before and after it was set and after a boot", () => {
    const world = new World({ offsetMs: 7_000, ppm: 30 });
    const seen: [serverMs: number, wallMs: number][] = [];
    const change = [
      () => world.set(40_000),
      () => world.set(-90_000),
      () => world.reboot(MINUTE_MS, -HOUR_MS),
      () => world.reboot(MINUTE_MS, HOUR_MS),
      () => world.set(2_000),
    ];
    assert.equal(world.clock.toNodeMs(5), 5);
    for (const next of change) {
      world.run(30 * MINUTE_MS);
      seen.push([world.nowMs, world.wallMs]);
      // In which of the batches' intervals it was set is all that can be known.
      world.run(10_000);
      next().run(30 * MINUTE_MS);
      seen.push([world.nowMs, world.wallMs]);
    }
    for (const [serverMs, wallMs] of seen)
      near(world.clock.toNodeMs(serverMs), wallMs, 250, "then");
  });
});

describe("pairs", () => {
  it("take away what the ways' delays differ by", () => {
    assert.ok(apart([400, 1], 0) > 350);
    assert.ok(apart([400, 1], 100) < 25);
  });

  it("do not swing, though they are known late", () => {
    for (const late of [1, 2, 3]) assert.ok(apart([400, 1], 100, late) < 60, `${late} late`);
  });

  it("are too few to say anything", () => {
    assert.ok(apart([400, 1], 31) > 350);
  });

  it("that lie move a clock by a second at most, and tell that something is wrong", () => {
    const world = new World({}).run(MINUTE_MS);
    for (let at = 0; at < 20; at++) {
      for (let pair = 0; pair < 100; pair++) world.clock.pair(30_000);
      world.run(10 * MINUTE_MS);
    }
    near(world.errorMs, -1_000, 210, "error");
    near(world.clock.uncertaintyMs, CONFIRMED_MS + 10_000, 5, "uncertainty");
  });

  it("count in any order", () => {
    const random = new SeededRandom(5);
    const residuals = Array.from({ length: 500 }, () => random.integer(-300, 500));
    const states = [residuals, random.shuffled(residuals)].map((order) => {
      const world = new World({}).run(MINUTE_MS);
      for (const residual of order) world.clock.pair(residual);
      world.run(10 * MINUTE_MS);
      return JSON.stringify(Object.entries(world.clock.state.published));
    });
    assert.equal(states[0], states[1]);
  });
});

it("goes on from its state as JSON as if nothing had been", () => {
  const [one, other] = [new World({ ppm: 30, seed: 9 }), new World({ ppm: 30, seed: 9 })];
  for (let at = 0; at < 20; at++) {
    one.run(17 * MINUTE_MS);
    other.run(17 * MINUTE_MS);
    Object.assign(other, { clock: new NodeClock(JSON.parse(JSON.stringify(other.clock.state))) });
  }
  assert.deepEqual(one.clock.state, other.clock.state);
  assert.ok(JSON.stringify(one.clock.state).length < 3_000);
});

it("shows nothing of what came after the last tick", () => {
  const world = new World({ offsetMs: 100 }).run(HOUR_MS);
  const shown = JSON.stringify(world.clock.state.published);
  world.clock.batch({ closedAtMs: world.wallMs, bootAtMs: world.bootAtMs }, world.nowMs - 90);
  world.clock.pair(5);
  assert.equal(JSON.stringify(world.clock.state.published), shown);
});

/** Every other batch is 1.2 s late; returns how often what is published was raised, and lowered. */
function changes(forMs: number): { raised: number; lowered: number } {
  const { clock, nowMs } = new World({}).run(HOUR_MS);
  const { lastClosedMs, lastUptimeMs, lastReceivedMs } = clock.state;
  const bootAtMs = lastClosedMs - lastUptimeMs;
  const told = { raised: 0, lowered: 0 };
  for (let at = 1; at * 2_000 <= forMs; at++) {
    const before = clock.uncertaintyMs;
    const afterMs = at * 2_000;
    const lateMs = at % 2 === 0 ? 1_200 : 0;
    clock.batch(
      { closedAtMs: lastClosedMs + afterMs - lateMs, bootAtMs },
      lastReceivedMs + afterMs,
    );
    clock.settle(nowMs + afterMs);
    if (clock.uncertaintyMs > before + 1_000) told.raised++;
    if (clock.uncertaintyMs < before - 1_000) told.lowered++;
  }
  return told;
}

it("a node some of whose batches are late is not held for better known before the minute is over", () => {
  const { raised, lowered } = changes(10 * MINUTE_MS);
  assert.ok(raised > 0);
  assert.ok(lowered <= 10, `${lowered} times in ten minutes`);
});
