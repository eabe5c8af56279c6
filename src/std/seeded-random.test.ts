import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "./seeded-random.ts";

const numbers = (seed: number, count: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.uint32());
};

test("a seed gives the same numbers, another seed others", () => {
  assert.deepEqual(numbers(7, 100), numbers(7, 100));
  assert.notDeepEqual(numbers(7, 4), numbers(8, 4));
  assert.notDeepEqual(numbers(0, 4), numbers(1, 4));
});

test("the first numbers of a seed never change: recorded seeds stay worth something", () => {
  assert.deepEqual(numbers(1, 4), [3685413526, 628251110, 212572038, 1878899064]);
});

test("bits are fair and ranges are reached to both ends", () => {
  const random = new SeededRandom(3);
  const seen = new Map<number, number>();
  for (let draw = 0; draw < 60_000; draw++) {
    const value = random.integer(-2, 3);
    seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  assert.deepEqual(
    [...seen.keys()].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2, 3],
  );
  for (const count of seen.values()) assert.ok(count > 9_500 && count < 10_500, String(count));
});

test("a fraction is below one, and a probability holds", () => {
  const random = new SeededRandom(4);
  let hits = 0;
  for (let draw = 0; draw < 10_000; draw++) {
    const fraction = random.fraction();
    assert.ok(fraction >= 0 && fraction < 1);
    if (random.chance(0.2)) hits++;
  }
  assert.ok(hits > 1_850 && hits < 2_150, String(hits));
  assert.equal(random.chance(0), false);
  assert.equal(random.chance(1), true);
});

test("large ranges stay exact", () => {
  const random = new SeededRandom(5);
  for (let draw = 0; draw < 1_000; draw++) {
    const value = random.integer(0, Number.MAX_SAFE_INTEGER - 1);
    assert.ok(Number.isSafeInteger(value) && value >= 0);
  }
  assert.equal(random.integer(9, 9), 9);
});

test("picking, shuffling and bytes use every value", () => {
  const random = new SeededRandom(6);
  const letters = ["a", "b", "c", "d"];
  assert.deepEqual(random.shuffled(letters).sort(), letters);
  assert.deepEqual(letters, ["a", "b", "c", "d"], "the input keeps its order");
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(letters)));
  assert.equal(picked.size, 4);
  assert.throws(() => random.pick([]), RangeError);
  assert.equal(random.bytes(0).length, 0);
  assert.equal(new Set(random.bytes(4_096)).size, 256);
});

test("a fork does not follow its origin", () => {
  const random = new SeededRandom(8);
  const fork = random.fork();
  const before = fork.uint32();
  assert.notEqual(before, random.uint32());
  const again = new SeededRandom(8).fork();
  assert.equal(again.uint32(), before);
});
