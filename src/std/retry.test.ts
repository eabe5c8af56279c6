import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "./clock.ts";
import { backOffMs, retry } from "./retry.ts";

const backOff = { firstDelayMs: 100, delayMsMax: 1_000 };

const delays = [
  { failures: 1, random: 0, expected: 50 },
  { failures: 1, random: 0.999, expected: 100 },
  { failures: 2, random: 0.999, expected: 200 },
  { failures: 4, random: 0.5, expected: 600 },
  { failures: 5, random: 0, expected: 500 },
  { failures: 5_000, random: 0.9999, expected: 1_000 },
];

for (const { failures, random, expected } of delays) {
  test(`after ${failures} failures and random ${random} the wait is ${expected} ms`, () => {
    assert.equal(Math.round(backOffMs(failures, backOff, () => random) / 10) * 10, expected);
  });
}

/** Fails until the given attempt. */
function failing(untilAttempt: number): { attempts: () => number; call: () => Promise<string> } {
  let attempts = 0;
  const call = async () => {
    await Promise.resolve();
    attempts++;
    if (attempts < untilAttempt) throw new Error(`attempt ${attempts}`);
    return "done";
  };
  return { attempts: () => attempts, call };
}

async function passTime(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.advance(50);
    await new Promise(setImmediate);
  }
}

test("the first attempt that works ends it", async () => {
  const clock = new ManualClock();
  const { attempts, call } = failing(4);
  const result = retry(call, { ...backOff, clock, random: () => 0.5 });
  await passTime(clock, 2_000);
  assert.equal(await result, "done");
  assert.equal(attempts(), 4);
});

test("the last attempt's error is the result", async () => {
  const clock = new ManualClock();
  const { call } = failing(10);
  const result = retry(call, { ...backOff, clock, random: () => 0.5, attemptsMax: 3 });
  const rejected = assert.rejects(result, /attempt 3/);
  await passTime(clock, 2_000);
  await rejected;
});

test("an error that cannot pass is not tried again", async () => {
  const { attempts, call } = failing(10);
  const options = { ...backOff, clock: new ManualClock(), random: () => 0, mayPass: () => false };
  await assert.rejects(retry(call, options), /attempt 1/);
  assert.equal(attempts(), 1);
});

test("a signal ends the waiting", async () => {
  const abort = new AbortController();
  const { call } = failing(10);
  const clock = new ManualClock();
  const result = retry(call, { ...backOff, clock, random: () => 0, signal: abort.signal });
  const rejected = assert.rejects(result, /enough/);
  await new Promise(setImmediate);
  abort.abort(new Error("enough"));
  await rejected;
});
