/**
 * Batches in a row whose delay is steady. A node that sends what waited in its spool catches up, so
 * the delay of each batch is less than that of the one before; what stays the same for a while is
 * the delay of the way alone.
 */
import type { Point } from "./line.ts";

/** Plain JSON. */
export interface SteadyRun {
  /** The first batch of the run. */
  readonly anchor: Point;
  readonly sinceMs: number;
  least: Point;
  batches: number;
  /** The newest batch of the run, by both clocks. */
  lastUptimeMs: number;
  lastReceivedMs: number;
}

/** Falls by more than this are catching up: five seconds at 1.04 times the speed of recording. */
const FALL_MS = 200;
/** A batch later than the least, or than an estimate, by more waited, which says nothing of the way. */
export const LATE_MS = 1_000;
/** None but late ones for so long: the delay has become another. */
const STALE_MS = 60_000;
const BATCHES_MIN = 3;

/** The run with one more batch in it, or the one that begins with it. */
export function extend(run: SteadyRun | null, point: Point, receivedMs: number): SteadyRun {
  if (run === null || point.bornMs < run.anchor.bornMs - FALL_MS) return begin(point, receivedMs);
  if (point.bornMs > run.least.bornMs + LATE_MS) {
    return receivedMs - run.lastReceivedMs > STALE_MS ? begin(point, receivedMs) : run;
  }
  if (point.bornMs < run.least.bornMs) run.least = point;
  run.batches++;
  run.lastUptimeMs = point.uptimeMs;
  run.lastReceivedMs = receivedMs;
  return run;
}

/** By both clocks: a second in which an hour of spool was sent is an hour by one of them only. */
export function lasts(run: SteadyRun, spanMs: number): boolean {
  return (
    run.batches >= BATCHES_MIN &&
    run.lastUptimeMs - run.anchor.uptimeMs >= spanMs &&
    run.lastReceivedMs - run.sinceMs >= spanMs
  );
}

function begin(point: Point, receivedMs: number): SteadyRun {
  return {
    anchor: point,
    sinceMs: receivedMs,
    least: point,
    batches: 1,
    lastUptimeMs: point.uptimeMs,
    lastReceivedMs: receivedMs,
  };
}
