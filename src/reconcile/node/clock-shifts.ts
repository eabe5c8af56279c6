/**
 * Corrections of a node's clock since halves were parked: their rows have the times of then, and are corrected when
 * they are taken back. Plain JSON, in the memory of the node.
 */
import { SHIFTS_PER_NODE_MAX } from "../limits.ts";

/** Halves from `bornMs` on, on the server's clock, began so much later than was thought before. */
export interface ClockShift {
  /** Journal index of the tick. */
  readonly index: number;
  readonly shiftMs: number;
  readonly bornMs: number;
  /** Number of the boot that began at `bornMs`. */
  readonly boot: number;
}

/** The newest comes last; of too many, the two oldest become one. The same one twice is one. */
export function noteShift(shifts: ClockShift[], shift: ClockShift): boolean {
  if (shifts.some((one) => one.index === shift.index)) return false;
  shifts.push(shift);
  const [first, second] = shifts;
  if (shifts.length > SHIFTS_PER_NODE_MAX && first !== undefined && second !== undefined) {
    shifts.splice(0, 2, merged(first, second));
  }
  return true;
}

/** When a half began, on the server's clock, that was thought to have begun at `serverMs` when its row was written. */
export function shifted(
  serverMs: number,
  shifts: readonly ClockShift[],
  writtenIndex: number,
): number {
  let shiftedMs = serverMs;
  for (const { index, shiftMs, bornMs } of shifts) {
    if (index >= writtenIndex && shiftedMs >= bornMs) shiftedMs += shiftMs;
  }
  return shiftedMs;
}

/**
 * Exact for rows that were written before both; those written between the two are shifted by the first one too much.
 * Shifts of two boots are of different halves, and cannot be added: the newer one stays.
 */
function merged(older: ClockShift, newer: ClockShift): ClockShift {
  if (older.boot !== newer.boot) return newer;
  const { shiftMs, bornMs } = older;
  return { ...newer, shiftMs: shiftMs + newer.shiftMs, bornMs };
}
