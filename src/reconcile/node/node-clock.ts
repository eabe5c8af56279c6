/**
 * How one node's clock differs from the server's, from signed content and receive times alone.
 *
 * A node's wall clock is its uptime plus `bootAtMs`, and every batch carries both. A clock that is
 * set moves `bootAtMs` and leaves the uptime alone: so a step is seen in the first batch after it,
 * and every time that was stamped under a known `bootAtMs` is corrected for it exactly. What is to
 * be estimated is when the machine booted by the server's clock, its *born* time: receive time minus
 * uptime is never before it, and is later by what the batch took to arrive.
 *
 * 1. The least over the present and the previous ten minutes of uptime is the estimate. It never is
 *    an all-time minimum, for the oscillator drifts: 50 ppm are 4.3 s a day. The drift, the median
 *    slope of three hours of such minima, carries the estimate through an outage.
 * 2. A batch that waited in the spool is late, and lateness is no evidence: an estimate that stands
 *    is raised by nothing but 20 minutes of batches with one steady delay, as after a virtual machine was
 *    paused. A node that sends what has waited catches up, and that is not steady. An estimate is lowered at
 *    once, since no batch arrives before it was sent.
 * 3. Pairs correct what receive times cannot tell, the least delay of the way: once in ten minutes
 *    by an eighth of the median of the node's differences to its peers, whose clocks take another.
 *    Never by more than a second in all, so that a peer that lies about its times moves nobody by
 *    more than the uncertainty that is assumed anyway.
 *
 * The estimate is **known** after three batches over five seconds, by both clocks, with a delay that
 * fell by no more than 200 ms: what waited is sent more than 4 % faster than it was recorded, or
 * nobody would ever catch up. Then it is late by the least delay of the way (below a second on any
 * link that carries a mesh), by those 200 ms, and by what the pairs moved it (a second at most):
 * `CONFIRMED_MS` is not less than that. Added are 100 ppm of the time since a batch last
 * confirmed it, and what it was raised by until pairs agree, for a way that became longer for good
 * looks like a machine that stood still. While the newest batch is late, a backlog and a machine that
 * stood still look the same: so as much is added as it is late by, for it stood still no longer; and
 * up to eight seconds are added until the minute is over, as some batches of any node are late. It is
 * unknown after a boot, and when all that is more than two minutes.
 *
 * Batches count in the order of the node's chain, pairs in any order, readers see the state of the
 * last tick: the result does not depend on what other nodes' records came between.
 */
import {
  type ClockState,
  type PublishedClock,
  type Stretch,
  unknownClock,
} from "./clock/clock-state.ts";
import { BUCKET_MS, DRIFT_BOUND_PPM, estimate } from "./clock/estimate.ts";
import { count, median, total } from "./clock/histogram.ts";
import { bornAt, type Line } from "./clock/line.ts";
import { LATE_MS } from "./clock/steady-run.ts";

/** Nothing is known: the comparison's tolerance before there is a clock model. */
export const UNKNOWN_MS = 120_000;
/** A known estimate is off by less, until it has to be carried on without batches. */
export const CONFIRMED_MS = 2_500;

/** A change of `bootAtMs` beyond this is a step; the resolution of the uptime and slewing are far below. */
const STEP_MS = 1_000;
/** Fewer pairs than this say nothing of a clock. */
const PAIRS_MIN = 32;
/**
 * Of the median. The peer takes as much, so a quarter of a difference goes each time. Pairs are known
 * some buckets after their times were corrected; at more, what is old would be corrected again and again, and swing.
 */
const PAIRS_GAIN = 1 / 8;
/** A median below is the resolution of the times themselves. */
const PAIRS_QUIET_MS = 2;
/** The least delay of a way is no longer than this. */
const CORRECTION_MAX_MS = 1_000;
/** No peer can add more than this to the uncertainty. */
const PAIRS_DOUBT_MAX_MS = 10_000;
/** What was added for a late batch is taken back when the next minute of the server's time begins. */
const HELD_SLOT_MS = 60_000;
/** More is taken back at once: it would hold up what is to be found within a minute. */
const HELD_LATE_MAX_MS = 8_192;
const BOOTS_KEPT_MAX = 4;
const STRETCHES_KEPT_MAX = 16;

/**
 * A wall clock was set between `fromMs` and `toMs`, both inclusive and by the clock as it was. What was
 * stamped then, or as much later by the clock as it is, was stamped before or after: nobody can tell.
 */
export interface Step {
  readonly fromMs: number;
  readonly toMs: number;
  /** Positive: forward. */
  readonly byMs: number;
}

/** Times of a batch's header. */
interface BatchTimes {
  readonly closedAtMs: number;
  readonly bootAtMs: number;
}

export class NodeClock {
  /** Plain JSON; give it to the constructor to go on. */
  readonly state: ClockState;
  /** Of what is published: nearly every time that is asked for was stamped in the newest stretch. */
  #newest: Newest | undefined;

  constructor(state: ClockState = unknownClock(UNKNOWN_MS)) {
    this.state = state;
    this.#newest = newestOf(state.published);
  }

  /** A `start` with another boot id came. To be called before `batch` of the record that holds it. */
  boot(): void {
    this.state.bootExpected = true;
  }

  /** Takes a batch, in the order of the chain. */
  batch({ closedAtMs, bootAtMs }: BatchTimes, receivedMs: number): Step | undefined {
    const { state } = this;
    const uptimeMs = closedAtMs - bootAtMs;
    const step = this.#stretchTo(bootAtMs, closedAtMs);
    const bornMs = receivedMs - uptimeMs;
    estimate(state, { uptimeMs, bornMs }, receivedMs);
    const line = state.lines[state.boot];
    const isConfirmed = state.confirmedMs >= receivedMs || line === undefined;
    state.lateMs = isConfirmed ? 0 : Math.max(0, bornMs - bornAt(line, uptimeMs));
    state.lastUptimeMs = uptimeMs;
    state.lastClosedMs = closedAtMs;
    state.lastReceivedMs = receivedMs;
    return step;
  }

  /** Own corrected open minus the peer's, of a TCP connection that no other half could belong to. */
  pair(residualMs: number): void {
    count(this.state.pairs, residualMs);
  }

  /** At each tick of the server: what was learnt until now becomes visible. */
  settle(nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    if (bucket !== this.state.pairsBucket) this.#closePairs(bucket);
    this.#holdLateness(nowMs);
    this.state.published = this.#publish(nowMs);
    this.#newest = newestOf(this.state.published);
  }

  /** What the node's clock shows minus what the server's shows. */
  get offsetMs(): number {
    return this.state.published.offsetMs;
  }

  /** Positive: its uptime runs fast. */
  get driftPpm(): number {
    return this.state.published.driftPpm;
  }

  get uncertaintyMs(): number {
    return this.state.published.uncertaintyMs;
  }

  /** The uncertainty without what the newest batch is late by, which its node can make up at will. */
  get steadyMs(): number {
    return this.state.published.steadyMs;
  }

  get isKnown(): boolean {
    return this.state.published.isKnown;
  }

  /**
   * The server's time of what the node stamped `atMs` while its batches said `bootAtMs`. Whole
   * milliseconds, so that it survives being stored.
   */
  toServerMs(atMs: number, bootAtMs: number): number {
    const newest = this.#newest;
    if (newest === undefined) return atMs;
    const uptimeMs = atMs - bootAtMs;
    const isNewest = uptimeMs >= 0 && isWithin(newest.stretch, bootAtMs);
    const otherMs = isNewest ? undefined : this.#toServerMs(atMs, bootAtMs);
    if (otherMs !== undefined) return Math.round(otherMs);
    // Since the last tick the clock was set, which the uptime does not know of; or the machine booted.
    const isBooted = !isNewest && this.state.boot > newest.stretch.boot;
    if (isBooted) return atMs - this.offsetMs;
    return Math.round(uptimeMs + bornAt(newest.line, uptimeMs));
  }

  /** What the node's clock showed then: by where it stood at that time, not where it stands now. */
  toNodeMs(serverMs: number): number {
    const { stretches, lines } = this.state.published;
    for (let at = stretches.length - 1; at >= 0; at--) {
      const stretch = stretches[at];
      const line = stretch && lines[stretch.boot];
      if (stretch === undefined || line === undefined) continue;
      const uptimeMs = serverMs - bornAt(line, serverMs - line.bornMs);
      if (at > 0 && uptimeMs < stretch.fromUptimeMs) continue;
      return Math.round(stretch.bootAtMs + uptimeMs);
    }
    return serverMs;
  }

  /** In any stretch. Undefined: its boot is not known. */
  #toServerMs(atMs: number, bootAtMs: number): number | undefined {
    const { stretches, lines } = this.state.published;
    const stretch = stretches.findLast((one) => isWithin(one, bootAtMs));
    const line = stretch && lines[stretch.boot];
    if (stretch === undefined || line === undefined) return undefined;
    const uptimeMs = atMs - bootAtMs;
    const before = uptimeMs < 0 ? this.#beforeBoot(atMs, stretch.boot) : undefined;
    return before ?? uptimeMs + bornAt(line, uptimeMs);
  }

  /** Stamped before the boot under which its batch was closed: in the boot before it. */
  #beforeBoot(atMs: number, boot: number): number | undefined {
    const { stretches, lines } = this.state.published;
    const former = stretches.findLast((one) => one.boot < boot);
    const line = former && lines[former.boot];
    if (former === undefined || line === undefined) return undefined;
    const uptimeMs = atMs - former.bootAtMs;
    return uptimeMs + bornAt(line, uptimeMs);
  }

  /** Notes where the wall clock stands, whether the machine booted, and whether the clock was set. */
  #stretchTo(bootAtMs: number, closedAtMs: number): Step | undefined {
    const { state } = this;
    const last = state.stretches.at(-1);
    const uptimeMs = closedAtMs - bootAtMs;
    const { bootExpected } = state;
    state.bootExpected = false;
    if (last === undefined) {
      this.#beginStretch(bootAtMs, 0);
      return undefined;
    }
    const byMs = bootAtMs - last.bootAtMs;
    const goesOn = uptimeMs >= state.lastUptimeMs - STEP_MS;
    const isSet = Math.abs(byMs) > STEP_MS;
    const isBoot = !goesOn || (bootExpected && isSet);
    if (isBoot) this.#beginBoot(last.bootAtMs, bootAtMs);
    else if (isSet) return this.#stepTo(bootAtMs, closedAtMs, byMs);
    else slew(last, bootAtMs);
    return undefined;
  }

  #stepTo(bootAtMs: number, closedAtMs: number, byMs: number): Step {
    const { lastClosedMs, lastUptimeMs } = this.state;
    const passedMs = Math.max(0, closedAtMs - bootAtMs - lastUptimeMs);
    this.#beginStretch(bootAtMs, lastUptimeMs);
    return { fromMs: lastClosedMs, toMs: lastClosedMs + passedMs, byMs };
  }

  #beginStretch(bootAtMs: number, fromUptimeMs: number): void {
    const { stretches, boot } = this.state;
    const [leastBootAtMs, mostBootAtMs] = [bootAtMs, bootAtMs];
    stretches.push({ boot, fromUptimeMs, bootAtMs, leastBootAtMs, mostBootAtMs });
    if (stretches.length > STRETCHES_KEPT_MAX) stretches.shift();
  }

  /** The wall clock went on over the boot, until batches tell otherwise. */
  #beginBoot(formerBootAtMs: number, bootAtMs: number): void {
    const { state } = this;
    const former = state.lines[state.boot];
    state.boot++;
    this.#beginStretch(bootAtMs, 0);
    delete state.lines[state.boot - BOOTS_KEPT_MAX];
    state.stretches = state.stretches.filter((one) => one.boot > state.boot - BOOTS_KEPT_MAX);
    state.isEstablished = false;
    state.confirmedMs = 0;
    state.freshUptimeMs = 0;
    state.doubtMs = 0;
    state.run = null;
    state.current = null;
    state.previous = null;
    state.points = [];
    if (former === undefined) return;
    const offsetMs = formerBootAtMs - bornAt(former, state.lastUptimeMs);
    const { fastPpm } = former;
    state.lines[state.boot] = { uptimeMs: 0, bornMs: bootAtMs - offsetMs, fastPpm };
  }

  #closePairs(bucket: number): void {
    const { state } = this;
    const middleMs = median(state.pairs);
    const isEnough = total(state.pairs) >= PAIRS_MIN;
    state.pairs = {};
    state.pairsBucket = bucket;
    if (!isEnough || middleMs === undefined) return;
    const awayMs = Math.abs(middleMs);
    if (awayMs <= LATE_MS) state.doubtMs = 0;
    else state.doubtMs = Math.max(state.doubtMs, Math.min(awayMs, PAIRS_DOUBT_MAX_MS));
    if (awayMs < PAIRS_QUIET_MS) return;
    const correctionMs = state.correctionMs - middleMs * PAIRS_GAIN;
    state.correctionMs = Math.max(-CORRECTION_MAX_MS, Math.min(CORRECTION_MAX_MS, correctionMs));
  }

  /** Raised at once, and lowered with that of all other nodes: each time all that waits is gone through. */
  #holdLateness(nowMs: number): void {
    const { state } = this;
    const slot = Math.floor(nowMs / HELD_SLOT_MS);
    const isKept = slot === state.heldSlot && state.heldLateMs <= HELD_LATE_MAX_MS;
    state.heldLateMs = Math.max(doubled(state.lateMs), isKept ? state.heldLateMs : 0);
    state.heldSlot = slot;
  }

  #publish(nowMs: number): PublishedClock {
    const { state } = this;
    const { boot, correctionMs, confirmedMs, doubtMs } = state;
    const line = state.lines[boot];
    const stretch = state.stretches.at(-1);
    if (line === undefined || stretch === undefined) return state.published;
    const uptimeMs = Math.max(state.lastUptimeMs, nowMs - line.bornMs);
    const driftMs = (DRIFT_BOUND_PPM * Math.max(0, nowMs - confirmedMs)) / 1e6;
    const steadyMs = CONFIRMED_MS + driftMs + doubtMs;
    const uncertaintyMs = steadyMs + state.heldLateMs;
    const isKnown = state.isEstablished && uncertaintyMs < UNKNOWN_MS;
    return {
      offsetMs: Math.round(stretch.bootAtMs - bornAt(line, uptimeMs) - correctionMs),
      driftPpm: line.fastPpm,
      uncertaintyMs: isKnown ? uncertaintyMs : UNKNOWN_MS,
      steadyMs: isKnown ? steadyMs : UNKNOWN_MS,
      isKnown,
      stretches: state.stretches.map((one) => ({ ...one })),
      lines: corrected(state.lines, correctionMs),
    };
  }
}

/** The next power of two, so that what a node that catches up is judged by does not change with each batch. */
function doubled(lateMs: number): number {
  return lateMs === 0 ? 0 : 2 ** Math.ceil(Math.log2(lateMs));
}

interface Newest {
  readonly stretch: Readonly<Stretch>;
  readonly line: Line;
}

function newestOf({ stretches, lines }: PublishedClock): Newest | undefined {
  const stretch = stretches.at(-1);
  const line = stretch && lines[stretch.boot];
  return stretch === undefined || line === undefined ? undefined : { stretch, line };
}

function corrected(lines: Readonly<Record<string, Line>>, byMs: number): Record<string, Line> {
  const entries = Object.entries(lines);
  return Object.fromEntries(
    entries.map(([boot, line]) => [boot, { ...line, bornMs: line.bornMs + byMs }]),
  );
}

/** Moves slowly, by less than a step a batch. */
function slew(stretch: Stretch, bootAtMs: number): void {
  stretch.bootAtMs = bootAtMs;
  stretch.leastBootAtMs = Math.min(stretch.leastBootAtMs, bootAtMs);
  stretch.mostBootAtMs = Math.max(stretch.mostBootAtMs, bootAtMs);
}

function isWithin(stretch: Readonly<Stretch>, bootAtMs: number): boolean {
  return bootAtMs >= stretch.leastBootAtMs - STEP_MS && bootAtMs <= stretch.mostBootAtMs + STEP_MS;
}
