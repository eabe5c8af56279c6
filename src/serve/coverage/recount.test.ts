import assert from "node:assert/strict";
import { it } from "node:test";
import { Recount } from "./recount.ts";

/** Time that a test moves, and a result that takes as long as it says. */
class Bench {
  nowMs = 0;
  made = 0;
  timers: { atMs: number; call: () => void }[] = [];
  waiting: PromiseWithResolvers<number>[] = [];
  readonly recount = new Recount<number>({
    waitMs: 1_000,
    make: () => {
      const answer = Promise.withResolvers<number>();
      this.waiting.push(answer);
      this.made++;
      return answer.promise;
    },
    clock: {
      monotonicMs: () => this.nowMs,
      after: (delayMs, call) => {
        const timer = { atMs: this.nowMs + delayMs, call };
        this.timers.push(timer);
        return { cancel: () => (this.timers = this.timers.filter((one) => one !== timer)) };
      },
    },
  });

  pass(spanMs: number): void {
    this.nowMs += spanMs;
    for (const { atMs, call } of this.timers) if (atMs <= this.nowMs) call();
  }

  answer(value: number): void {
    for (const one of this.waiting.splice(0)) one.resolve(value);
  }
}

it("makes one result for all who ask at once, and uses it ten times as long as it took", async () => {
  const bench = new Bench();
  const asked = [bench.recount.get(), bench.recount.get()];
  bench.pass(100);
  bench.answer(7);
  assert.deepEqual(await Promise.all(asked), [7, 7]);
  bench.pass(999);
  assert.equal(await bench.recount.get(), 7);
  assert.equal(bench.made, 1);
  bench.pass(1);
  const next = bench.recount.get();
  bench.answer(8);
  assert.equal(await next, 8);
  assert.deepEqual([bench.made, bench.timers.length], [2, 0]);
});

it("gives what there was to who would wait too long, and goes on", async () => {
  const bench = new Bench();
  const first = bench.recount.get();
  bench.pass(1_000);
  assert.equal(await first, undefined);
  bench.answer(7);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await bench.recount.get(), 7);
  bench.pass(10_000);
  const late = bench.recount.get();
  bench.pass(1_000);
  assert.equal(await late, 7);
  bench.answer(8);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await bench.recount.get(), 8);
});

it("tells who waits of a failure, and tries again", async () => {
  const bench = new Bench();
  const failing = bench.recount.get();
  bench.waiting.pop()?.reject(new Error("away"));
  await assert.rejects(failing, /away/);
  const next = bench.recount.get();
  bench.answer(1);
  assert.equal(await next, 1);
});

it("makes it anew after five minutes, however long it took", async () => {
  const bench = new Bench();
  const first = bench.recount.get();
  bench.pass(60_000);
  bench.answer(7);
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  bench.pass(299_999);
  await bench.recount.get();
  assert.equal(bench.made, 1);
  bench.pass(1);
  const next = bench.recount.get();
  bench.answer(8);
  assert.equal(await next, 8);
});
