import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SimNode } from "../../test/simulate/sim-node.ts";
import { headOf, openPiece, type Piece } from "./piece.ts";
import { contradictions, coverageAround, runsOf, skippedNumbers, wholeFrom } from "./runs.ts";

const T0_MS = 1_800_000_000_000;
const STEP_MS = 1_000;

/**
 * A node's chain, a letter for each batch, a second apart: `B` whole, `h` by its header, `-` not in the
 * file, `+` whole after three skipped numbers, `E` whole and the first of a new epoch.
 */
function chainOf(letters: string): Piece[] {
  const node = new SimNode("n");
  const pieces: Piece[] = [];
  for (const [index, letter] of letters.split("").entries()) {
    node.atMs = T0_MS + index * STEP_MS;
    if (letter === "+") node.nextSeq += 3;
    const { frame } = letter === "E" ? node.nextEpoch() : node.next();
    if (letter === "-") continue;
    pieces.push(letter === "h" ? openPiece("header", headOf(frame)) : openPiece("batch", frame));
  }
  return pieces;
}

function text(pieces: readonly Piece[]): string {
  return pieces.map(({ header }) => `${header.epoch}/${header.batchNo}`).join(" ");
}

describe("runs of a chain", () => {
  const cases: [letters: string, runs: string[]][] = [
    ["", []],
    ["B", ["0/0"]],
    ["BhB", ["0/0 0/1 0/2"]],
    ["B-B", ["0/0", "0/2"]],
    ["BBEB", ["0/0 0/1 1/0 1/1"]],
    ["B-EB", ["0/0", "1/0 1/1"]],
  ];
  for (const [letters, runs] of cases) {
    test(letters, () => {
      const chain = chainOf(letters);
      assert.deepEqual(runsOf(chain).map(text), runs);
      assert.deepEqual(contradictions(chain), []);
    });
  }
});

/** Times in steps from the first batch; each batch is closed, and complete, at its own step. */
describe("what whole batches cover around a time", () => {
  const cases: [
    letters: string,
    at: number,
    covered: [from: number | "first", to: number] | undefined,
  ][] = [
    ["BBB", 0.5, ["first", 2]],
    ["hBB", 0.5, [0, 2]],
    ["-BB", 0.5, undefined],
    ["hBBh", 2.5, undefined],
    ["hBBhB", 3.5, [3, 4]],
    ["hB-B", 1.5, undefined],
    ["BBEB", 2.5, ["first", 3]],
    ["hBB", 2, undefined],
  ];
  for (const [letters, at, covered] of cases) {
    test(`${letters} at ${at}: ${JSON.stringify(covered)}`, () => {
      const found = coverageAround(chainOf(letters), T0_MS + at * STEP_MS);
      const from = found?.fromMs === 0 ? "first" : ((found?.fromMs ?? 0) - T0_MS) / STEP_MS;
      assert.deepEqual(found && [from, (found.toMs - T0_MS) / STEP_MS], covered);
    });
  }
});

test("skipped numbers are those between neighbours", () => {
  assert.deepEqual(skippedNumbers(chainOf("B+B")), [{ epoch: 0, first: 1, last: 3 }]);
  assert.deepEqual(skippedNumbers(chainOf("B-B")), []);
  assert.deepEqual(skippedNumbers(chainOf("BEB")), []);
});

test("whole batches from one on end where one is not whole", () => {
  const chain = chainOf("hBBhB");
  const [, second] = chain;
  assert.ok(second !== undefined);
  assert.equal(text(wholeFrom(chain, second)), "0/1 0/2");
});

describe("what cannot be in one chain", () => {
  const [first, second, third] = chainOf("BBB");
  const other = new SimNode("n");
  Object.assign(other, { batchNo: 1, nextSeq: 1, atMs: T0_MS });
  const stray = openPiece("batch", other.next().frame);
  Object.assign(other, { batchNo: 5, nextSeq: 0 });
  const again = openPiece("batch", other.next().frame);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const cases: [name: string, chain: Piece[], complaint: RegExp][] = [
    ["one number twice", [first, second, stray], /batch 1 of epoch 0 is there twice/],
    ["a batch that names another", [first, stray], /does not name the batch before it/],
    ["numbers used again", [second, again], /uses numbers again, from 0 on/],
  ];
  for (const [name, chain, complaint] of cases) {
    test(name, () => assert.match(contradictions(chain).join("; "), complaint));
  }
});
