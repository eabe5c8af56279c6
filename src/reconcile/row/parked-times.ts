/**
 * When the parked halves began, on the server's clock: how many to the minute. That is all that is
 * known of them in memory; the rest is in their rows. It may say too many, after a crash, and never
 * too few: taking a minute's halves back shows how many there are.
 */
import type { ParkedMemory } from "../node/server-memory.ts";

/** Times on the server's clock, both inclusive. */
export type TimeSpan = readonly [fromMs: number, toMs: number];

/** Whole minutes; `toMinute` is exclusive. */
export interface ParkedRange {
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly clockMinMs: number;
  readonly clockMaxMs: number;
}

export const MINUTE_MS = 60_000;

export function countParked({ counts }: ParkedMemory): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How many there are at most in this time. */
export function countParkedIn(
  { firstMinute, counts }: ParkedMemory,
  [fromMs, toMs]: TimeSpan,
): number {
  const from = Math.max(0, minuteOf(fromMs) - firstMinute);
  const to = Math.max(0, minuteOf(toMs) - firstMinute + 1);
  return counts.slice(from, to).reduce((sum, count) => sum + count, 0);
}

export function minuteOf(serverMs: number): number {
  return Math.floor(serverMs / MINUTE_MS);
}

/** `clockMs`: what its node's clock showed, minus the server's. */
export function noteParked(memory: ParkedMemory, serverMs: number, clockMs: number): void {
  const { counts } = memory;
  const minute = minuteOf(serverMs);
  if (counts.length === 0) {
    memory.firstMinute = minute;
    memory.clockMinMs = clockMs;
    memory.clockMaxMs = clockMs;
  }
  memory.clockMinMs = Math.min(memory.clockMinMs, clockMs);
  memory.clockMaxMs = Math.max(memory.clockMaxMs, clockMs);
  for (; minute < memory.firstMinute; memory.firstMinute--) counts.unshift(0);
  while (counts.length <= minute - memory.firstMinute) counts.push(0);
  counts[minute - memory.firstMinute] = (counts[minute - memory.firstMinute] ?? 0) + 1;
}

/** The minutes of these times in which there are any, in order. */
export function parkedRanges(memory: ParkedMemory, spans: readonly TimeSpan[]): ParkedRange[] {
  const { firstMinute, counts, clockMinMs, clockMaxMs } = memory;
  const wanted = new Set<number>();
  for (const [fromMs, toMs] of spans) {
    const from = Math.max(0, minuteOf(fromMs) - firstMinute);
    const to = Math.min(counts.length - 1, minuteOf(toMs) - firstMinute);
    for (let at = from; at <= to; at++) if ((counts[at] ?? 0) > 0) wanted.add(at);
  }
  const ranges: { fromMinute: number; toMinute: number; clockMinMs: number; clockMaxMs: number }[] =
    [];
  for (const at of [...wanted].toSorted((a, b) => a - b)) {
    const minute = firstMinute + at;
    const last = ranges.at(-1);
    if (last?.toMinute === minute) last.toMinute++;
    else ranges.push({ fromMinute: minute, toMinute: minute + 1, clockMinMs, clockMaxMs });
  }
  return ranges;
}

/** All of these minutes were taken back. */
export function clearParked(memory: ParkedMemory, range: ParkedRange): void {
  const { counts } = memory;
  for (let minute = range.fromMinute; minute < range.toMinute; minute++) {
    const at = minute - memory.firstMinute;
    if (at >= 0 && at < counts.length) counts[at] = 0;
  }
  while (counts.length > 0 && counts.at(-1) === 0) counts.pop();
  const first = counts.findIndex((count) => count > 0);
  if (first > 0) {
    counts.splice(0, first);
    memory.firstMinute += first;
  }
}
