import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import { SeqIndex } from "./seq-index.ts";

const NAMES_MAX = 30_000;

describe("seq index", () => {
  it("finds what a map finds, of several nodes and epochs, through growth and removals", () => {
    const random = new SeededRandom(5);
    const index = new SeqIndex();
    const model = new Map<string, number>();
    for (let step = 0; step < NAMES_MAX; step++) {
      const node = random.below(3);
      const epoch = random.below(2);
      // Dense, and near the end of what a number can be.
      const seq = random.below(4_000) + (node === 2 ? Number.MAX_SAFE_INTEGER - 4_000 : 0);
      const name = `${node} ${epoch} ${seq}`;
      assert.equal(index.find(node, epoch, seq), model.get(name) ?? -1);
      if (model.has(name)) {
        index.remove(node, epoch, seq);
        model.delete(name);
      } else {
        index.add(node, epoch, seq, step);
        model.set(name, step);
      }
    }
    assert.ok(model.size > 1_000);
    for (const [name, slot] of model) {
      const [node = 0, epoch = 0, seq = 0] = name.split(" ").map(Number);
      assert.equal(index.find(node, epoch, seq), slot);
    }
  });

  it("knows a page that was emptied as empty, and as full again", () => {
    const index = new SeqIndex();
    index.add(0, 0, 40, 7);
    index.remove(0, 0, 40);
    assert.equal(index.find(0, 0, 40), -1);
    index.add(0, 0, 41, 8);
    assert.equal(index.find(0, 0, 40), -1);
    assert.equal(index.find(0, 0, 41), 8);
  });

  it("removes nothing that is not there", () => {
    const index = new SeqIndex();
    index.add(0, 0, 5, 1);
    index.remove(1, 0, 5);
    index.remove(0, 1, 5);
    index.remove(0, 0, 6);
    assert.equal(index.find(0, 0, 5), 1);
  });
});
