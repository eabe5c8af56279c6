import assert from "node:assert/strict";
import { it } from "node:test";
import { SeededRandom } from "../../std/seeded-random.ts";
import { emptyTrend, noteCompared, noteExplained, type TrustTrend } from "./trust-trend.ts";

const HOUR_MS = 3_600_000;
const TREND_HOURS = 24;
const NOW_MS = 500_000 * HOUR_MS + 1;

/** Share without contradiction, 0 to 1, of the last 24 hours, the present one last; null where nothing was compared. */
function trustByHour(trend: TrustTrend): (number | null)[] {
  const last = Math.floor(NOW_MS / HOUR_MS);
  return Array.from({ length: TREND_HOURS }, (_, at) => {
    const counts = trend.hours.find((one) => one.hour === last - TREND_HOURS + 1 + at);
    if (counts === undefined) return null;
    return 1 - counts.unexplained / counts.compared;
  });
}

type Note = [hoursAgo: number, compared: number, unexplained: number];
const table: [what: string, notes: Note[], shown: Record<number, number>][] = [
  ["nothing compared, nothing shown", [], {}],
  ["all agree", [[0, 10, 0]], { 0: 1 }],
  [
    "the share by hour",
    [
      [0, 10, 5],
      [2, 4, 1],
      [0, 10, 0],
    ],
    { 0: 0.75, 2: 0.75 },
  ],
  [
    "a day and no more",
    [
      [23, 2, 1],
      [24, 2, 2],
      [30, 1, 1],
      [0, 1, 0],
    ],
    { 23: 0.5, 0: 1 },
  ],
  [
    "hours too old",
    [
      [0, 1, 0],
      [50, 1, 1],
    ],
    { 0: 1 },
  ],
];
for (const [what, notes, shown] of table) {
  it(what, () => {
    const expected = Array.from(
      { length: TREND_HOURS },
      (_, at) => shown[TREND_HOURS - 1 - at] ?? null,
    );
    for (const order of [notes, notes.toReversed(), new SeededRandom(1).shuffled(notes)]) {
      const trend = emptyTrend();
      for (const [hoursAgo, compared, unexplained] of order) {
        noteCompared(trend, NOW_MS - hoursAgo * HOUR_MS, { compared, unexplained });
      }
      assert.deepEqual(trustByHour(trend), expected);
      assert.ok(trend.hours.length <= TREND_HOURS);
    }
  });
}

const explained: [
  what: string,
  notes: Note[],
  hoursAgo: number[],
  shown: Record<number, number>,
][] = [
  ["counts no more", [[1, 10, 2]], [1, 1], { 1: 1 }],
  [
    "and was counted after its connection",
    [
      [2, 10, 1],
      [1, 10, 1],
    ],
    [1],
    { 2: 0.9, 1: 1 },
  ],
  [
    "and was waited for",
    [
      [4, 10, 0],
      [2, 10, 1],
      [0, 10, 1],
    ],
    [4],
    { 4: 1, 2: 1, 0: 0.9 },
  ],
  ["more often than it was counted", [[1, 10, 1]], [1, 1, 1], { 1: 1 }],
  ["and was counted longer ago than a day", [[0, 10, 0]], [30], { 0: 1 }],
];
for (const [what, notes, hoursAgo, shown] of explained) {
  it(`what was explained later ${what}`, () => {
    const trend = emptyTrend();
    for (const [ago, compared, unexplained] of notes) {
      noteCompared(trend, NOW_MS - ago * HOUR_MS, { compared, unexplained });
    }
    for (const ago of hoursAgo) noteExplained(trend, NOW_MS - ago * HOUR_MS);
    const trust = trustByHour(trend);
    for (const [ago, share] of Object.entries(shown)) {
      assert.equal(trust[TREND_HOURS - 1 - Number(ago)], share);
    }
  });
}
