/** What is remembered of one node's clock: plain JSON, in the node's memory. */
import type { Histogram } from "./histogram.ts";
import type { Line, Point } from "./line.ts";
import type { SteadyRun } from "./steady-run.ts";

/**
 * A stretch of the node's stream in which its wall clock was not set: where the clock stood against
 * the uptime, and in which boot. A clock that is only slewed moves within the bounds.
 */
export interface Stretch {
  readonly boot: number;
  /** It began no sooner: the uptime of the last batch before it. */
  readonly fromUptimeMs: number;
  leastBootAtMs: number;
  mostBootAtMs: number;
  /** The newest. */
  bootAtMs: number;
}

/** The least of a bucket of ten minutes of the node's uptime. */
interface Bucket {
  readonly number: number;
  least: Point;
}

/** What readers see: as of the last tick. */
export interface PublishedClock {
  readonly offsetMs: number;
  readonly driftPpm: number;
  readonly uncertaintyMs: number;
  /** The part of it that the newest batch does not cause by coming late. */
  readonly steadyMs: number;
  readonly isKnown: boolean;
  readonly stretches: readonly Readonly<Stretch>[];
  /** By the number of the boot, corrected by the pairs. */
  readonly lines: Readonly<Record<string, Line>>;
}

/** Of the present boot, where not said otherwise. */
export interface ClockState {
  boot: number;
  /** A `start` told of a boot whose first batch is to come. */
  bootExpected: boolean;
  stretches: Stretch[];
  /** By the number of the boot, as the batches show them. Absent before the first batch. */
  lines: Record<string, Line>;
  lastUptimeMs: number;
  lastClosedMs: number;
  lastReceivedMs: number;
  /** The line rests on batches of this boot that did not wait. */
  isEstablished: boolean;
  /** Receive time of the newest batch that confirmed the line. 0: none. */
  confirmedMs: number;
  /** By how much the newest batch came later than the line allows for; 0 where it confirmed the line. */
  lateMs: number;
  /** What is published for that, and in which slot of the server's time it was raised or looked at last. */
  heldLateMs: number;
  heldSlot: number;
  /** What nothing but pairs can confirm. */
  doubtMs: number;
  /** Uptime of the newest batch that did not wait. */
  freshUptimeMs: number;
  current: Bucket | null;
  previous: Bucket | null;
  run: SteadyRun | null;
  /** The least of the last buckets, oldest first. */
  points: Point[];
  /** By how much pairs moved the line. */
  correctionMs: number;
  /** Of the present bucket of the server's time. */
  pairs: Histogram;
  /** Number of that bucket. */
  pairsBucket: number;
  published: PublishedClock;
}

/** Of a node that nothing was heard from. */
export function unknownClock(uncertaintyMs: number): ClockState {
  return {
    boot: 0,
    bootExpected: false,
    stretches: [],
    lines: {},
    lastUptimeMs: 0,
    lastClosedMs: 0,
    lastReceivedMs: 0,
    isEstablished: false,
    confirmedMs: 0,
    lateMs: 0,
    heldLateMs: 0,
    heldSlot: 0,
    doubtMs: 0,
    freshUptimeMs: 0,
    current: null,
    previous: null,
    run: null,
    points: [],
    correctionMs: 0,
    pairs: {},
    pairsBucket: 0,
    published: {
      offsetMs: 0,
      driftPpm: 0,
      uncertaintyMs,
      steadyMs: uncertaintyMs,
      isKnown: false,
      stretches: [],
      lines: {},
    },
  };
}
