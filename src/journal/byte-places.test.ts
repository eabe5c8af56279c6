import assert from "node:assert/strict";
import { it } from "node:test";
import { BytePlaces } from "./byte-places.ts";

const MIB = 1024 * 1024;

it("knows the bytes behind a record from the segments that were there", () => {
  const places = new BytePlaces(
    [
      { firstIndex: 0, bytes: 1_000 },
      { firstIndex: 10, bytes: 200 },
    ],
    14,
  );
  assert.deepEqual(
    [0, 5, 10, 12, 14, 99].map((index) => places.from(index)),
    [1_200, 700, 200, 100, 0, 0],
  );
});

it("goes on with what is added, and stays small", () => {
  const places = new BytePlaces([], 0);
  for (let index = 1; index <= 20_000; index++) places.add(index, index <= 10_000 ? MIB : 2 * MIB);
  assert.equal(places.from(0), 30_000 * MIB);
  assert.equal(places.from(20_000), 0);
  assert.equal(places.from(19_999), 2 * MIB);
  const off = Math.abs(places.from(15_000) - 10_000 * MIB);
  assert.ok(off <= 20 * MIB, String(off));
});
