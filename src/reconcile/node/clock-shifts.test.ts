import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ClockShift, noteShift, shifted } from "./clock-shifts.ts";
import { SHIFTS_PER_NODE_MAX } from "../limits.ts";

const BORN_MS = 1_800_000_000_000;
const SHIFT_MS = 400;
const COUNT = SHIFTS_PER_NODE_MAX + 36;

/** At each hundredth record, in the boots that `bootOf` says. */
function shiftsOf(bootOf: (at: number) => number): ClockShift[] {
  const shifts: ClockShift[] = [];
  for (let at = 1; at <= COUNT; at++) {
    const boot = bootOf(at);
    const bornMs = BORN_MS + boot * 3_600_000;
    assert.ok(noteShift(shifts, { index: at * 100, shiftMs: SHIFT_MS, bornMs, boot }));
  }
  assert.equal(shifts.length, SHIFTS_PER_NODE_MAX);
  return shifts;
}

describe("the corrections of a clock, of which there were more than are remembered", () => {
  const rows: [what: string, writtenIndex: number, beganAfterMs: number, count: number][] = [
    ["all of them move what was written before the first", 1, 5_000, COUNT],
    ["those since move what was written later", 9_001, 5_000, 10],
    ["none moves what was written after the last", COUNT * 100 + 1, 5_000, 0],
    ["none moves what began before the boot", 1, -5_000, 0],
  ];
  for (const [what, writtenIndex, beganAfterMs, count] of rows) {
    it(what, () => {
      const began = BORN_MS + beganAfterMs;
      const movedMs =
        shifted(
          began,
          shiftsOf(() => 0),
          writtenIndex,
        ) - began;
      assert.equal(movedMs, count * SHIFT_MS);
    });
  }

  it("are those of the later boot alone, where the machine booted among the oldest", () => {
    const beganMs = BORN_MS + 3_600_000 + 5_000;
    const shifts = shiftsOf((at) => (at <= 10 ? 0 : 1));
    assert.equal(shifted(beganMs, shifts, 1_001) - beganMs, (COUNT - 10) * SHIFT_MS);
  });

  it("count once, though they are told twice", () => {
    const shifts: ClockShift[] = [];
    const shift = { index: 1, shiftMs: SHIFT_MS, bornMs: BORN_MS, boot: 0 };
    assert.deepEqual([noteShift(shifts, shift), noteShift(shifts, shift)], [true, false]);
    assert.equal(shifted(BORN_MS, shifts, 1), BORN_MS + SHIFT_MS);
  });
});
