import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedQueue } from "./bounded-queue.ts";

test("what does not fit is refused, and the bound is inclusive", () => {
  const queue = new BoundedQueue<string>(10);
  assert.equal(queue.offer("a", 6), true);
  assert.equal(queue.offer("b", 5), false);
  assert.equal(queue.offer("c", 4), true);
  assert.equal(queue.weight, 10);
  assert.equal(queue.length, 2);
});

test("items leave in order, at least one, at most the weight asked for", () => {
  const queue = new BoundedQueue<number>(100);
  for (let item = 0; item < 10; item++) queue.offer(item, 5);
  assert.deepEqual(queue.take(12), [0, 1]);
  assert.deepEqual(queue.take(1), [2]);
  assert.equal(queue.weight, 35);
  assert.deepEqual(queue.take(Infinity), [3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(queue.take(1), []);
  assert.equal(queue.weight, 0);
});

test("order holds however offers and takes alternate", () => {
  const queue = new BoundedQueue<number>(7);
  let offered = 0;
  let expected = 0;
  for (let round = 0; round < 1000; round++) {
    while (queue.offer(offered, 1 + (offered % 3))) offered++;
    for (const item of queue.take(1 + (round % 5))) assert.equal(item, expected++);
  }
  assert.equal(queue.length, offered - expected);
});
