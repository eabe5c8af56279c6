import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import { mixed, SlotIndex } from "./slot-index.ts";

function slotsOf(index: SlotIndex, hash: number): number[] {
  const slots: number[] = [];
  for (let place = index.first(hash); place !== -1; place = index.next(place, hash)) {
    slots.push(index.slotAt(place));
  }
  return slots.toSorted((a, b) => a - b);
}

describe("slot index", () => {
  it("finds what a map of lists finds, through growth, collisions and removals", () => {
    const random = new SeededRandom(7);
    const index = new SlotIndex();
    const model = new Map<number, number[]>();
    for (let step = 0; step < 40_000; step++) {
      // Few distinct low bits: long runs of places that are not home.
      const hash = mixed(random.below(3_000)) & ~0xf0;
      const known = model.get(hash) ?? [];
      if (random.below(3) > 0) {
        index.add(hash, step);
        model.set(hash, [...known, step]);
      } else if (known.length > 0) {
        const gone = known[random.below(known.length)] ?? 0;
        index.remove(hash, gone);
        model.set(
          hash,
          known.filter((slot) => slot !== gone),
        );
      }
    }
    let count = 0;
    for (const [hash, slots] of model) {
      assert.deepEqual(slotsOf(index, hash), slots);
      count += slots.length;
    }
    assert.equal(index.count, count);
  });

  it("replaces a slot where it stands", () => {
    const index = new SlotIndex();
    index.add(5, 1);
    index.replace(index.first(5), 9);
    assert.deepEqual(slotsOf(index, 5), [9]);
  });

  it("removes nothing that is not there", () => {
    const index = new SlotIndex();
    index.add(5, 1);
    index.remove(5, 2);
    index.remove(6, 1);
    assert.equal(index.count, 1);
  });
});
