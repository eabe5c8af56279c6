/**
 * When the present boot began by the server's clock: taken from batches that did not wait, kept
 * while none come, and raised only by what no backlog can look like. The rules are in node-clock.ts.
 */
import type { ClockState } from "./clock-state.ts";
import { bornAt, fastPpmOf, type Point } from "./line.ts";
import { extend, lasts, LATE_MS } from "./steady-run.ts";

/** Of the node's uptime for the estimate, of the server's time for pairs. */
export const BUCKET_MS = 600_000;
/** What an oscillator may drift beyond what is known of it. */
export const DRIFT_BOUND_PPM = 100;

/** With a steady delay for so long, batches that nothing contradicts did not wait. */
const ESTABLISH_MS = 5_000;
/** So long before they contradict an estimate that stands. */
const RAISE_MS = 2 * BUCKET_MS;
/** Three hours. */
const POINTS_MAX = 18;

/** Takes a batch: `point` is the earliest time of the boot that its arrival allows, or later. */
export function estimate(state: ClockState, point: Point, receivedMs: number): void {
  const line = state.lines[state.boot];
  const lateMs = line === undefined ? -Infinity : point.bornMs - bornAt(line, point.uptimeMs);
  const isFollowed = point.uptimeMs - state.freshUptimeMs <= RAISE_MS;
  if (state.isEstablished && isFollowed && Math.abs(lateMs) <= LATE_MS) {
    return confirm(state, point, receivedMs);
  }
  if (lateMs < 0) lower(state, point, lateMs);
  state.run = extend(state.run, point, receivedMs);
  const driftMs = (DRIFT_BOUND_PPM * (point.uptimeMs - state.freshUptimeMs)) / 1e6;
  const isNear = !state.isEstablished || lateMs <= LATE_MS + driftMs;
  if (lasts(state.run, isNear ? ESTABLISH_MS : RAISE_MS)) establish(state, receivedMs);
}

/** Nothing arrives before it was sent. Where a batch seems to by so much, what was established was a backlog. */
function lower(state: ClockState, point: Point, lateMs: number): void {
  state.lines[state.boot] = { ...point, fastPpm: fastPpmIn(state) };
  if (lateMs < -LATE_MS) state.isEstablished = false;
}

/** The steady run is the estimate from now on. */
function establish(state: ClockState, receivedMs: number): void {
  const { run } = state;
  const line = state.lines[state.boot];
  if (run === null || line === undefined) return;
  const { least, lastUptimeMs } = run;
  const movedMs = least.bornMs - bornAt(line, least.uptimeMs);
  const driftMs = (DRIFT_BOUND_PPM * (least.uptimeMs - state.freshUptimeMs)) / 1e6;
  const isDrift = Math.abs(movedMs) <= LATE_MS + driftMs;
  // What an oscillator cannot have done says nothing of it.
  if (!isDrift) state.points = [];
  // A delay that became longer for good looks like a machine that stood still.
  state.doubtMs = state.isEstablished && !isDrift ? movedMs : 0;
  state.isEstablished = true;
  state.current = null;
  state.previous = null;
  confirm(state, least, receivedMs);
  state.freshUptimeMs = lastUptimeMs;
}

/** A batch that did not wait. */
function confirm(state: ClockState, point: Point, receivedMs: number): void {
  state.run = null;
  state.confirmedMs = receivedMs;
  state.freshUptimeMs = point.uptimeMs;
  const number = Math.floor(point.uptimeMs / BUCKET_MS);
  if (state.current === null || number > state.current.number) turn(state, number, point);
  const { current, previous } = state;
  if (current === null) return;
  const fastPpm = fastPpmIn(state);
  current.least = lesser(current.least, point, fastPpm);
  const least = previous === null ? current.least : lesser(previous.least, current.least, fastPpm);
  state.lines[state.boot] = { ...least, fastPpm };
}

/** A bucket is full: one more point for the drift. */
function turn(state: ClockState, number: number, first: Point): void {
  const full = state.current;
  if (full !== null) state.points = [...state.points, full.least].slice(-POINTS_MAX);
  const fastPpm = fastPpmOf(state.points) ?? fastPpmIn(state);
  state.lines[state.boot] = { ...first, fastPpm };
  state.previous = full !== null && full.number === number - 1 ? full : null;
  state.current = { number, least: first };
}

function fastPpmIn(state: ClockState): number {
  return state.lines[state.boot]?.fastPpm ?? 0;
}

function lesser(one: Point, other: Point, fastPpm: number): Point {
  return other.bornMs < bornAt({ ...one, fastPpm }, other.uptimeMs) ? other : one;
}
