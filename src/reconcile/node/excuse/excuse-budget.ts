/**
 * How many excuses a node may have that it could have made up: a declared gap, an overload, a
 * restart. Past that they excuse nothing. Two bounds, for what hides much and for what hides
 * one thing; their figures, and what they are from, are in docs/comparison.md.
 *
 * **The budget**, of the last 24 hours: a share of all connections. What was lost while the node had declared an
 * overload is counted apart, unless it declares one in so many hours that this is its ordinary state.
 *
 * **The concentration** on a peer (`concentration.ts`): losses that again and again are of one
 * peer's connections, while those beside them in time were not lost. A node that has one peer for most of its
 * traffic is bounded by the budget alone.
 *
 * One of these for each node. Notes count in any order between two ticks, and decisions are those
 * of the last tick.
 */
import { HOUR_MS, hourOf } from "../../hours.ts";
import {
  capitalOf,
  CAPITAL_MAX,
  CONCENTRATED_MIN,
  lostIn,
  forgetBefore,
  noteRound,
  type Suspicions,
} from "./concentration.ts";
import { countIn, type Slices, takeRounds } from "./loss-window.ts";

/** Connections that are compared are counted for so long after the last excuse or declared loss. */
const ARMED_MS = HOUR_MS;
/** No loss with a peer that was hidden is excused for so long after the last tick that showed it; what shows it counts for a day itself. */
const ABUSE_STANDS_MS = 24 * HOUR_MS;

/** More than this many, and more than this share, in 24 hours; the share is of as much as comes in `ofMs` at least. */
const BUDGETS = {
  /** Of connections while no overload was declared. */
  calm: [
    { excusedMax: 200, shareMax: 0.05, ofMs: HOUR_MS },
    { excusedMax: 50, shareMax: 0.5, ofMs: 0 },
  ],
  /** Of those while one was. */
  overload: [{ excusedMax: 200, shareMax: 0.3, ofMs: 0 }],
} as const;

/** Overloads pass; a node that declares them in more hours has the budget of a calm day. */
const OVERLOAD_HOURS_MAX = 6;
/** What came in less time than this says nothing of an hour. */
const KNOWN_MIN_MS = 60_000;
const HOURS_KEPT = 24;

/**
 * What can be produced at will by the node that it excuses: declared losses, farewells and starts, clocks
 * that are set, and records of strangers that pass for the other end of a translated one.
 */
const PRODUCIBLE_CAUSES = ["gap", "overload", "restart", "stopped", "clock", "stranger"] as const;
/** One of `PRODUCIBLE_CAUSES`. */
export type ProducibleCause = (typeof PRODUCIBLE_CAUSES)[number];

/** A connection between the node and a peer, of which the peer has the half. */
interface ExcusedConnection {
  readonly peer: string;
  /** By the server's clock. */
  readonly atMs: number;
  readonly cause: ProducibleCause;
  /** The node had declared an overload then: a `degraded` entry, or a gap by pressure. */
  readonly isOverload: boolean;
}

type ComparedConnection = Omit<ExcusedConnection, "cause">;

/** Plain JSON, in the node's memory. */
export interface ExcuseState {
  /** Of the last tick. */
  tickMs: number;
  /** The tick since which connections of the node are compared; 0 before. */
  sinceMs: number;
  armedUntilMs: number;
  /** By hours since 1970. */
  hours: Record<string, ExcuseHour>;
  slices: Slices;
  suspicions: Suspicions;
  /** By peer; the empty one is the node's budget. */
  abuses: Record<string, Abuse>;
}

interface ExcuseHour {
  compared: Record<Circumstance, number>;
  excused: Record<Circumstance, number>;
  causes: Partial<Record<ProducibleCause, number>>;
}

type Circumstance = keyof typeof BUDGETS;

/** What excuses nothing any more, and why. */
export type Abuse = BudgetAbuse | PeerAbuse;

interface BudgetAbuse {
  readonly kind: "budget";
  readonly circumstance: Circumstance;
  readonly excused: number;
  readonly connections: number;
  readonly causes: Readonly<Partial<Record<ProducibleCause, number>>>;
  /** First and last tick that showed it. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface PeerAbuse {
  readonly kind: "concentration";
  readonly peer: string;
  /** Losses of connections with the peer in the last 24 hours (a burst is one), in how many rounds. */
  readonly lost: number;
  readonly rounds: number;
  /** That an honest node comes this far is at most so likely. */
  readonly pValue: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export class ExcuseBudget {
  readonly state: ExcuseState;
  /** Of `state.hours`: the one that the last tick is in. */
  #hour: ExcuseHour;

  constructor(state: ExcuseState = emptyState()) {
    this.state = state;
    this.#hour = this.#presentHour();
  }

  /** The node declared a loss: what is compared from now on is the measure of it. */
  declare(): void {
    this.state.armedUntilMs = this.state.tickMs + ARMED_MS;
  }

  /** Whether its state may change by time alone. */
  get isStirred(): boolean {
    const { slices, suspicions, abuses } = this.state;
    return [slices, suspicions, abuses].some((one) => Object.keys(one).length > 0);
  }

  /** Whether each connection is to be told by `compared`; otherwise `countCompared` is enough. */
  get isArmed(): boolean {
    return this.state.tickMs < this.state.armedUntilMs;
  }

  /** A connection was compared, and is counted without a note of its peer and its time. */
  countCompared(isOverload: boolean): void {
    this.#hour.compared[circumstanceOf(isOverload)]++;
  }

  /** Both ends have the connection. */
  compared({ peer, atMs, isOverload }: ComparedConnection): void {
    this.countCompared(isOverload);
    const { slices, tickMs } = this.state;
    if (this.isArmed) countIn(slices, { peer, atMs, tickMs, isExcused: false });
  }

  /** Nothing but the node's own admission explains that it does not have the connection. */
  excused({ peer, atMs, cause, isOverload }: ExcusedConnection): void {
    this.declare();
    this.#hour.excused[circumstanceOf(isOverload)]++;
    this.#hour.causes[cause] = (this.#hour.causes[cause] ?? 0) + 1;
    const { slices, tickMs } = this.state;
    countIn(slices, { peer, atMs, tickMs, isExcused: true });
  }

  /** Whether the node's own admissions excuse a connection with `peer`, as of the last tick. */
  mayExcuse(peer: string): boolean {
    const { abuses } = this.state;
    return abuses[""] === undefined && abuses[peer] === undefined;
  }

  /** What excuses nothing, as of the last tick; the budget first, then by peer. */
  verdicts(): Abuse[] {
    const peers = Object.keys(this.state.abuses).sort();
    return peers.flatMap((peer) => this.state.abuses[peer] ?? []);
  }

  /** At each tick of the server. */
  settle(nowMs: number): void {
    const { state } = this;
    state.tickMs = nowMs;
    if (state.sinceMs === 0 && countOf(this.#hour) > 0) state.sinceMs = nowMs;
    this.#hour = this.#presentHour();
    for (const round of takeRounds(state.slices, nowMs)) noteRound(state.suspicions, round);
    forgetBefore(state.suspicions, nowMs);
    const oldestHour = hourOf(nowMs) - HOURS_KEPT;
    for (const hour of Object.keys(state.hours)) {
      if (Number(hour) <= oldestHour) delete state.hours[hour];
    }
    for (const [peer, { untilMs }] of Object.entries(state.abuses)) {
      if (nowMs - untilMs > ABUSE_STANDS_MS) delete state.abuses[peer];
    }
    this.#judgePeers(nowMs);
    this.#judgeBudget(nowMs);
  }

  #judgePeers(nowMs: number): void {
    const { suspicions, abuses } = this.state;
    for (const [peer, suspicion] of Object.entries(suspicions)) {
      const capital = capitalOf(suspicion);
      const lost = lostIn(suspicion);
      if (capital < CAPITAL_MAX || lost < CONCENTRATED_MIN) continue;
      const sinceMs = abuses[peer]?.sinceMs ?? nowMs;
      const rounds = suspicion.rounds.length;
      const pValue = 1 / capital;
      const kind = "concentration";
      abuses[peer] = { kind, peer, lost, rounds, pValue, sinceMs, untilMs: nowMs };
    }
  }

  #judgeBudget(nowMs: number): void {
    const { abuses, hours } = this.state;
    const knownMs = Math.max(KNOWN_MIN_MS, nowMs - this.state.sinceMs);
    const spent = spentIn(Object.values(hours)).find((one) => isOver(one, knownMs));
    if (spent === undefined) {
      // A day that is within the budget again is one in which excuses count again.
      delete abuses[""];
      return;
    }
    const sinceMs = abuses[""]?.sinceMs ?? nowMs;
    abuses[""] = { kind: "budget", ...spent, sinceMs, untilMs: nowMs };
  }

  #presentHour(): ExcuseHour {
    const { hours, tickMs } = this.state;
    return (hours[hourOf(tickMs)] ??= {
      compared: { calm: 0, overload: 0 },
      excused: { calm: 0, overload: 0 },
      causes: {},
    });
  }
}

type Spent = Pick<BudgetAbuse, "circumstance" | "excused" | "connections" | "causes">;

/** A minute's absence is much of the first ten, and little of an hour that goes on as it began. */
function isOver({ circumstance, excused, connections }: Spent, knownMs: number): boolean {
  return BUDGETS[circumstance].some(({ excusedMax, shareMax, ofMs }) => {
    const measure = connections * Math.max(1, ofMs / knownMs);
    return excused > excusedMax && excused > shareMax * measure;
  });
}

function countOf({ compared, excused }: ExcuseHour): number {
  return compared.calm + compared.overload + excused.calm + excused.overload;
}

/** What was spent of each budget. */
function spentIn(hours: readonly ExcuseHour[]): Spent[] {
  const overloaded = hours.filter((one) => one.compared.overload + one.excused.overload > 0);
  const isOrdinary = overloaded.length > OVERLOAD_HOURS_MAX;
  const causes: Partial<Record<ProducibleCause, number>> = {};
  for (const cause of PRODUCIBLE_CAUSES) {
    const count = sum(hours, (hour) => hour.causes[cause] ?? 0);
    if (count > 0) causes[cause] = count;
  }
  const of = (circumstance: Circumstance, parts: readonly Circumstance[]): Spent => {
    const excused = sum(hours, (hour) => sum(parts, (part) => hour.excused[part]));
    const compared = sum(hours, (hour) => sum(parts, (part) => hour.compared[part]));
    return { circumstance, excused, connections: excused + compared, causes };
  };
  if (isOrdinary) return [of("calm", ["calm", "overload"])];
  return [of("calm", ["calm"]), of("overload", ["overload"])];
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

function circumstanceOf(isOverload: boolean): Circumstance {
  return isOverload ? "overload" : "calm";
}

function emptyState(): ExcuseState {
  return {
    tickMs: 0,
    sinceMs: 0,
    armedUntilMs: 0,
    hours: {},
    slices: {},
    suspicions: {},
    abuses: {},
  };
}
