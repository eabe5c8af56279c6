import assert from "node:assert/strict";
import { test } from "node:test";
import { BUCKET_MS, Calendar } from "./calendar.ts";
import { Dice } from "./dice.ts";
import { HalfPool } from "./half-pool.ts";

test("everything happens once, in its bucket, in the order of planning, however far ahead", () => {
  const pool = new HalfPool();
  const calendar = new Calendar(pool);
  const dice = new Dice(3);
  const planned = new Map<number, number>();
  const happened: { half: number; bucket: number }[] = [];
  for (let count = 0; count < 500; count++) {
    const half = pool.take();
    // Up to three turns of the ring.
    const dueMs = Math.floor(dice.fraction() ** 4 * 4_000_000);
    planned.set(half, dueMs);
    calendar.plan(half, 1, dueMs);
  }
  for (let bucket = 0; bucket * BUCKET_MS <= 4_000_000; bucket++) {
    calendar.run((half) => happened.push({ half, bucket }));
  }
  assert.equal(happened.length, planned.size);
  for (const { half, bucket } of happened) {
    assert.equal(bucket, Math.floor((planned.get(half) ?? 0) / BUCKET_MS));
  }
});

test("what is planned for now or for the past while a bucket is worked on happens in it", () => {
  const pool = new HalfPool();
  const calendar = new Calendar(pool);
  const [first, second, third] = [pool.take(), pool.take(), pool.take()];
  const order: number[] = [];
  for (let bucket = 0; bucket < 10; bucket++) calendar.run(() => order.push(-1));
  calendar.plan(first, 1, 10 * BUCKET_MS);
  calendar.run((half) => {
    order.push(half);
    if (half !== first) return;
    calendar.plan(second, 1, 10 * BUCKET_MS + 1);
    calendar.plan(third, 1, 0);
  });
  assert.deepEqual(order, [first, second, third]);
});

test("the pool hands out each half once, also after it has grown", () => {
  const pool = new HalfPool();
  const taken = Array.from({ length: 40_000 }, () => pool.take());
  assert.equal(new Set(taken).size, taken.length);
  assert.equal(pool.used, taken.length);
  for (const half of taken) pool.release(half);
  assert.equal(pool.used, 0);
});
