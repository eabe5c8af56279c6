import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RANGES_PER_HOLE_MAX } from "../limits.ts";
import { NodeStream } from "./node-stream.ts";

const LAST = 9_999;

/** Of a node that skipped the numbers 0 to `LAST`. */
function streamWithHole(): NodeStream {
  const stream = new NodeStream("00", "node", 0);
  stream.memory.holes.push({
    epoch: 0,
    first: 0,
    last: LAST,
    index: 1,
    seenMs: 1,
    unexplained: [[0, LAST]],
    told: false,
  });
  return stream;
}

const isOpen = (stream: NodeStream, seq: number): boolean =>
  stream.memory.holes.some(({ unexplained }) =>
    unexplained.some(([first, last]) => first <= seq && seq <= last),
  );

describe("a hole of which every second number is explained", () => {
  const stream = streamWithHole();
  for (let seq = 0; seq <= LAST; seq += 2) stream.explainHoles(seq, seq);

  it("is remembered in few pieces, without losing a number that is not explained", () => {
    assert.equal(stream.memory.holes[0]?.unexplained.length, RANGES_PER_HOLE_MAX);
    const odd = Array.from({ length: LAST / 2 }, (_, at) => at * 2 + 1);
    assert.ok(odd.every((seq) => isOpen(stream, seq)));
    assert.ok(!isOpen(stream, 0));
  });

  it("is explained by who names all of it", () => {
    assert.equal(stream.explainHoles(0, LAST).length, 1);
    assert.deepEqual(stream.memory.holes, []);
  });
});
