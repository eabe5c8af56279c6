import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import { ManualClock } from "../../std/clock.ts";
import { ServeError } from "../serve-error.ts";
import { type Attempt, SignInThrottle } from "./signin-throttle.ts";

let clock: ManualClock;
let throttle: SignInThrottle;
beforeEach(() => {
  clock = new ManualClock();
  throttle = new SignInThrottle(clock);
});

/** Seconds to wait; 0: it counts. */
function wait(attempt: Attempt): number {
  try {
    throttle.begin(attempt);
    return 0;
  } catch (error) {
    assert.ok(error instanceof ServeError && error.code === "signin_throttled");
    return error.retryAfterS ?? 0;
  }
}

/** Tries again as soon as it may; the waits between. */
function waits(attemptAt: (turn: number) => Attempt, count: number): number[] {
  return Array.from({ length: count }, (_, turn) => {
    const seconds = wait(attemptAt(turn));
    if (seconds === 0) return 0;
    clock.advance(seconds * 1_000);
    assert.equal(wait(attemptAt(turn)), 0);
    return seconds;
  });
}

it("lets a name be tried five times, and then ever more slowly, to a minute", () => {
  const tried = waits((turn) => ({ name: "ada", address: `10.0.0.${turn}` }), 14);
  assert.deepEqual(tried, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

it("lets an address try twenty times, whatever the names, and then to a quarter of an hour", () => {
  const tried = waits((turn) => ({ name: `n${turn}`, address: "10.0.0.1" }), 34);
  assert.deepEqual(tried.slice(0, 23), [...Array<number>(20).fill(0), 1, 2, 4]);
  assert.equal(tried.at(-1), 900);
});

it("takes all addresses of an IPv6 network for one, and no two networks", () => {
  const links = waits((turn) => ({ address: `2001:db8:0:1::${turn + 1}` }), 22);
  assert.deepEqual(links.slice(-2), [1, 2]);
  assert.equal(wait({ address: "2001:db8:0:2::1" }), 0);
  assert.equal(wait({ address: "2001:db8::1" }), 0);
});

it("counts a thousand at once as a thousand, and what came too early not at all", () => {
  const attempt = { name: "ada", address: "10.0.0.1" };
  const at = Array.from({ length: 1_000 }, () => wait(attempt));
  assert.deepEqual(at.slice(0, 7), [0, 0, 0, 0, 0, 1, 1]);
  assert.equal(at.filter((seconds) => seconds === 0).length, 5);
  clock.advance(1_000);
  assert.equal(wait({ ...attempt, name: "ADA" }), 0);
});

it("begins anew after a success, which does not make up for wrong names", () => {
  const address = "10.0.0.1";
  for (let turn = 0; turn < 10; turn++) {
    assert.equal(wait({ name: `wrong ${turn}`, address }), 0);
    assert.equal(wait({ name: "mallory", address }), 0);
    throttle.succeeded({ name: "mallory", address });
  }
  for (let turn = 0; turn < 10; turn++) wait({ name: `more ${turn}`, address });
  assert.equal(wait({ name: "one more", address }), 1);
});

it("forgets after a quiet hour", () => {
  const attempt = { name: "ada", address: "10.0.0.1" };
  waits(() => attempt, 8);
  clock.advance(3_600_000);
  assert.deepEqual(
    waits(() => attempt, 6),
    [0, 0, 0, 0, 0, 1],
  );
});

it("remembers ten thousand at most", () => {
  for (let turn = 0; turn < 12_000; turn++) {
    wait({ name: `n${turn}`, address: `10.${turn >> 8}.${turn & 255}.1` });
  }
  assert.equal(throttle.size, 10_000);
});
