/** At each tick, what was learnt of the clocks since the last one comes to count, also for halves that came before. */
import { CELL, Half, type HalfRecords, type Names, WORD } from "../half/half-records.ts";
import { MARK, slotHasMark } from "../half/half-state.ts";
import type { NodeStream } from "./node-stream.ts";

/** Estimates of a clock that moved by less are within what is allowed for anyway. */
const SHIFT_MS_MIN = 300;

interface ClockParts {
  readonly records: HalfRecords;
  readonly names: Names;
  /** Its row is to be written again. */
  readonly changed: (half: Half) => void;
}

interface Shift {
  readonly shiftMs: number;
  /** When the node's machine booted: what it recorded before has nothing to do with its present clock. */
  readonly bornMs: number;
}

/** `index`: of the tick's record. */
export function settleClocks(
  streams: Iterable<NodeStream>,
  { nowMs, index }: { readonly nowMs: number; readonly index: number },
  parts: ClockParts,
): void {
  const shifts = new Map<number, Shift>();
  for (const stream of streams) {
    const shift = settle(stream, nowMs);
    if (shift === undefined) continue;
    shifts.set(stream.number, shift);
    stream.noteShift({ index, ...shift });
  }
  if (shifts.size > 0) shiftAll(shifts, parts);
}

/** By how much its halves began later than was thought, if that is worth while. */
function settle(stream: NodeStream, nowMs: number): Shift | undefined {
  const { clock, uncertaintyMs, steadyUncertaintyMs } = stream;
  const { isKnown } = clock;
  const { lastClosedMs, bootAtMs } = stream.memory;
  const beforeMs = clock.toServerMs(lastClosedMs, bootAtMs);
  const bornMs = clock.toServerMs(bootAtMs, bootAtMs);
  clock.settle(nowMs);
  const shiftMs = Math.round(clock.toServerMs(lastClosedMs, bootAtMs) - beforeMs);
  const isShifted = Math.abs(shiftMs) >= SHIFT_MS_MIN;
  // What waits while a clock is more uncertain than before would only wait longer: it is asked when it is woken.
  const isLess = stream.uncertaintyMs < uncertaintyMs;
  const isOtherwise =
    isLess || stream.steadyUncertaintyMs !== steadyUncertaintyMs || clock.isKnown !== isKnown;
  if (isShifted || isOtherwise) stream.turned = true;
  return isShifted ? { shiftMs, bornMs } : undefined;
}

function shiftAll(
  shifts: ReadonlyMap<number, Shift>,
  { records, names, changed }: ClockParts,
): void {
  for (let slot = 0; slot < records.end; slot++) {
    const shift = shifts.get(records.cell(slot, CELL.node));
    if (shift === undefined || !slotHasMark(records, slot, MARK.live)) continue;
    // What is settled is as it was when that was decided, whether or not its row is written already.
    if (slotHasMark(records, slot, MARK.settled)) continue;
    if (records.word(slot, WORD.serverMs) < shift.bornMs) continue;
    records.shift(slot, shift.shiftMs);
    changed(new Half(records, names, slot));
  }
}
