import assert from "node:assert/strict";
import { it } from "node:test";
import { count, type Histogram, median, total } from "./histogram.ts";

const table: [samples: number[], expected: number | undefined][] = [
  [[], undefined],
  [[0], 0],
  [[3, 1, 2], 2],
  [[-15, -15, 15], -15],
  [[1, 2, 3, 4], 2],
  [[-7.4, -7.4, 100], -7],
  [[1_000], 992],
  [[-1_000], -992],
  [[1e9], 126_976],
  [[-1e9], -126_976],
];
for (const [samples, expected] of table) {
  it(`the median of ${samples.join(", ") || "nothing"} is ${expected}`, () => {
    const histogram: Histogram = {};
    for (const sample of samples) count(histogram, sample);
    assert.equal(total(histogram), samples.length);
    assert.equal(median(histogram), expected);
  });
}

it("no value is put further off than a sixteenth of it", () => {
  for (let ms = -120_000; ms <= 120_000; ms += 7) {
    const histogram: Histogram = {};
    count(histogram, ms);
    assert.ok(Math.abs((median(histogram) ?? NaN) - ms) <= Math.abs(ms) / 16, String(ms));
  }
});
