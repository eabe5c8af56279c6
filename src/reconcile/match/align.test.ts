import assert from "node:assert/strict";
import { it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import { align } from "./align.ts";

const SKIP = 4_000;

function pairs(left: readonly number[], right: readonly number[], skip = SKIP): string {
  const cost = (l: number, r: number) => Math.abs((left[l] ?? 0) - (right[r] ?? 0));
  const [skipLeft, skipRight] = [() => skip, () => skip];
  return align({ left: left.length, right: right.length, cost, skipLeft, skipRight })
    .pairs.map(([l, r]) => `${left[l]}-${right[r]}`)
    .join(" ");
}

const cases: [title: string, left: number[], right: number[], expected: string][] = [
  ["one each", [0], [5], "0-5"],
  ["nothing at one end", [0, 1], [], ""],
  ["a port used again", [0, 2000], [1, 2001], "0-1 2000-2001"],
  ["the first is lost at one end", [0, 2000], [2001], "2000-2001"],
  ["the second is lost at one end", [0, 2000], [1], "0-1"],
  ["one in the middle is lost", [0, 2000, 4000], [3, 4003], "0-3 4000-4003"],
  ["too far apart to be one", [0], [9000], ""],
  ["both ends lost another one", [0, 2000], [2000, 60_000], "2000-2000"],
];
for (const [title, left, right, expected] of cases) {
  it(`aligns: ${title}`, () => assert.equal(pairs(left, right), expected));
}

it("finds the cheapest pairing that does not cross", () => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 300; round++) {
    const times = () =>
      Array.from({ length: random.below(6) }, () => random.below(20_000)).toSorted((a, b) => a - b);
    const [left, right] = [times(), times()];
    const cost = (l: number, r: number) => Math.abs((left[l] ?? 0) - (right[r] ?? 0));
    const { pairs: found, total: told } = align({
      left: left.length,
      right: right.length,
      cost,
      skipLeft: () => SKIP,
      skipRight: () => SKIP,
    });
    const total =
      found.reduce((sum, [l, r]) => sum + cost(l, r), 0) +
      (left.length + right.length - 2 * found.length) * SKIP;
    assert.equal(total, told);
    assert.equal(total, cheapest(left, right), `${left.join(" ")} | ${right.join(" ")}`);
    for (const [index, [l, r]] of found.entries()) {
      const [beforeL, beforeR] = found[index - 1] ?? [-1, -1];
      assert.ok(l > beforeL && r > beforeR);
    }
  }
});

/** By trying everything. */
function cheapest(left: readonly number[], right: readonly number[]): number {
  const [l, ...moreLeft] = left;
  const [r, ...moreRight] = right;
  if (l === undefined) return right.length * SKIP;
  if (r === undefined) return left.length * SKIP;
  return Math.min(
    cheapest(moreLeft, right) + SKIP,
    cheapest(left, moreRight) + SKIP,
    cheapest(moreLeft, moreRight) + Math.abs(l - r),
  );
}

/** The first is lost for good; the second may have its partner later. */
const skipOrWait = (l: number) => (l === 0 ? SKIP : 5);

it("leaves alone at no great cost what may yet get its own", () => {
  const [left, right] = [[1_000, 3_000], [2_990]];
  const cost = (l: number, r: number) => Math.abs((left[l] ?? 0) - (right[r] ?? 0));
  const skips = { skipLeft: skipOrWait, skipRight: () => SKIP };
  const { pairs: found, total } = align({ left: 2, right: 1, cost, ...skips });
  assert.deepEqual([found, total], [[[0, 0]], 1_995]);
});

it("aligns a thousand instances at either end", () => {
  const left = Array.from({ length: 1_000 }, (_, index) => index * 2_000);
  const right = left.filter((_, index) => index % 10 !== 3).map((time) => time + 5);
  assert.equal(pairs(left, right).split(" ").length, 900);
});

it("aligns so many instances that all pairs of them would not fit in memory", () => {
  const many = Array.from({ length: 100_000 }, (_, index) => index * 2_000);
  const left = many.filter((_, index) => index % 1_000 !== 3);
  const right = many.filter((_, index) => index % 1_000 !== 500);
  assert.equal(pairs(left, right).split(" ").length, 99_800);
});
