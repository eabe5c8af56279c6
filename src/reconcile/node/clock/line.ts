/**
 * When a machine booted, by the server's clock, as its batches show it. The machine's uptime runs a
 * little fast or slow, so this time is no constant but a line over uptime.
 */

/** At this uptime the boot lies at this time of the server's clock. */
export interface Point {
  readonly uptimeMs: number;
  readonly bornMs: number;
}

/** A point and how fast the uptime runs: 10 ppm means that it gains 10 ms in 1,000 s. */
export interface Line extends Point {
  readonly fastPpm: number;
}

/** A kernel accepts corrections of this much and no more; a worse oscillator is a fault. */
const FAST_PPM_MAX = 500;
/** Fewer points, or a shorter time, tell more of delays than of the oscillator. */
const POINTS_MIN = 4;

export function bornAt(line: Line, uptimeMs: number): number {
  return line.bornMs - (line.fastPpm * (uptimeMs - line.uptimeMs)) / 1e6;
}

/** Theil and Sen: the median of the slopes between all points, which delayed ones do not move. Undefined: too few. */
export function fastPpmOf(points: readonly Point[]): number | undefined {
  if (points.length < POINTS_MIN) return undefined;
  const slopes: number[] = [];
  for (const [at, one] of points.entries()) {
    for (const other of points.slice(at + 1)) {
      const passedMs = other.uptimeMs - one.uptimeMs;
      if (passedMs > 0) slopes.push(((one.bornMs - other.bornMs) / passedMs) * 1e6);
    }
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes[slopes.length >> 1];
  if (middle === undefined) return undefined;
  return Math.max(-FAST_PPM_MAX, Math.min(FAST_PPM_MAX, middle));
}
