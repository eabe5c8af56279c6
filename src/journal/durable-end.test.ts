import assert from "node:assert/strict";
import { test } from "node:test";
import { DurableEnd } from "./durable-end.ts";

test("listeners hear each new end once, until they stop", () => {
  const end = new DurableEnd(5);
  const heard: number[] = [];
  const stop = end.onCommit((index) => heard.push(index));
  for (const index of [5, 7, 6, 7, 9]) end.publish(index);
  stop();
  end.publish(10);
  assert.deepEqual(heard, [7, 9]);
  assert.equal(end.index, 10);
});

test("waiting ends when the record is durable, not before", async () => {
  const end = new DurableEnd(1);
  await end.waitFor(0);
  let done = false;
  const wait = async () => {
    await end.waitFor(2);
    done = true;
  };
  const waiting = wait();
  end.publish(2);
  await new Promise(setImmediate);
  assert.equal(done, false);
  end.publish(3);
  await waiting;
});

test("a signal ends the waiting", async () => {
  const end = new DurableEnd();
  const abort = new AbortController();
  const waiting = end.waitFor(0, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(end.waitFor(0, abort.signal), /enough/);
});
