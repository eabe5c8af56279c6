/**
 * What reconcile knows of one node from its stream: what it claims, how far it is complete, when it
 * was away, and what it admitted to have lost. Survives a restart as JSON in the store.
 */
import type { BatchHeader } from "../format/batch.ts";
import type { GapEntry } from "../format/entry.ts";
import { type ClockState, unknownClock } from "./clock/clock-state.ts";
import { type ClockShift, noteShift } from "./clock-shifts.ts";
import type { StoredFinding } from "./stored-finding.ts";
import { ExcuseBudget, type ExcuseState } from "./excuse-budget.ts";
import type { EntryPlace, HalfOwner } from "./half-records.ts";
import { type MismatchMemory, noMismatches } from "./mismatch-memory.ts";
import { nothingParked, type ParkedMemory } from "./parked-times.ts";
import { forgetReadings, noteClaim, noteReceived, noTotals, type TotalsMemory } from "./totals.ts";
import { emptyTrend, type TrustTrend } from "./trust-trend.ts";
import {
  ABSENCE_ENDED_MS,
  BACKDATED_MS_MIN,
  BLIND_AFTER_MS,
  EXCUSES_PER_NODE_MAX,
  EXCUSE_SLACK_MS,
  RANGES_PER_HOLE_MAX,
} from "./limits.ts";
import { CONFIRMED_MS, NodeClock, type Step, UNKNOWN_MS } from "./node-clock.ts";

/** `server`: the server's own stream, which is no node of the mesh. */
export type NodeState = "active" | "silent" | "stopped" | "opted_out" | "revoked" | "server";

/** A time, by the node's clock, in which it declared not to observe. `toMs` null: still. */
export interface Absence {
  readonly reason: "stopped" | "opted_out" | "not_started";
  readonly fromMs: number;
  toMs: number | null;
  /** Under which boot time `toMs` was stamped: the clock may have been set meanwhile. */
  toBootAtMs?: number;
  /** The entry that says so. */
  readonly place: EntryPlace;
}

/** A gap and how many halves it may still excuse. */
export interface GapBudget {
  readonly cause: GapEntry["cause"];
  readonly fromMs: number;
  readonly toMs: number;
  remaining: number;
  /** Where the admission stands. */
  readonly index: number;
  readonly seq: number;
}

/** Connections that a node says to have begun at a time of which it had said that it told all. */
export interface Backdated {
  count: number;
  readonly first: EntryPlace & { readonly openedMs: number; readonly claimedMs: number };
}

/** Numbers that were skipped and are not all declared lost; ranges are inclusive. */
export interface Hole {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly index: number;
  readonly seenMs: number;
  /** What no gap has named yet: several gaps may have to explain one hole. */
  unexplained: [first: number, last: number][];
  /** A finding about it is open. */
  told: boolean;
}

export interface NodeMemory {
  epoch: number;
  nextSeq: number;
  state: NodeState;
  addresses: Record<string, string[]>;
  /** Node clock: complete up to here. */
  watermarkMs: number;
  lastReceivedMs: number;
  lastClosedMs: number;
  /** Node clock: when its agent last began to observe. */
  startedMs: number;
  /** Journal time when a batch last arrived that had not waited in the spool. */
  freshAtMs: number;
  /** Node clock: what its batches before the newest claimed to be complete to. */
  claimedMs: number;
  /** Opens of a time before that, since the last tick; and the first of them. */
  backdated: Backdated | null;
  /** Under which boot time the watermark was stamped. */
  bootAtMs: number;
  /** Of the machine's present boot, as its agent says. */
  bootId: string;
  clock: ClockState;
  /** Times in which nobody knows what the node's clock showed: it was set. */
  steps: Step[];
  /** The watermark as of the server's last tick. */
  sealedToMs: number;
  /** Of the server's own stream: its last tick, and the journal index of that. */
  tickMs: number;
  tickIndex: number;
  /** Of the server's own stream: the seconds since that tick in which it received something. */
  heardS: number[];
  /** Of the server's own stream: what outlives a restart of the mismatches between nodes. */
  mismatches: MismatchMemory;
  /** Of the server's own stream: findings that were concluded, in that order, and whose entries were not read yet. */
  unread: StoredFinding[];
  /** Of the server's own stream: `network address` of what several nodes claimed at its last tick. */
  contested: string[];
  /** Of the server's own stream: as in `Position`. */
  rereadFrom: number;
  /** Addresses that others know it under, because somebody who is no node translates them; the newest last. */
  translators: string[];
  /** A responder recorded a connection of its under its own address. */
  isMetDirectly: boolean;
  /** It forwards connections of others. */
  forwards: boolean;
  trend: TrustTrend;
  /** What its interfaces carried, and what its connections received meanwhile. */
  totals: TotalsMemory;
  budget: ExcuseState;
  /** Node clock: times in which it declared to be overloaded. `toMs` null: still. */
  overloads: { readonly fromMs: number; toMs: number | null }[];
  absences: Absence[];
  gaps: GapBudget[];
  holes: Hole[];
  /** Server's clock: what waits for it is woken up to here and not further; null: as far as it is complete. */
  pacedMs: number | null;
  /** The same for what waits for nothing but its farewell, while it is away by its own word; null: it is not, or all of it was woken. */
  farewellMs: number | null;
  /** It was away by its own word at the server's last tick. */
  wasAway: boolean;
  /** Its state as of the server's last tick. */
  wokenAs: NodeState;
  /** Corrections of its clock, for halves that were parked when they were made. */
  shifts: ClockShift[];
  /** Of the server's own stream: when halves began that are parked. */
  parked: ParkedMemory;
}

/** Of what a known clock is allowed for, what its drift since the last batch may use up. */
const UNCERTAINTY_FREE_MS = 250;

/** A batch that arrived this much later than its clock explains had been waiting. */
const STALE_LAG_MS = 5_000;

/** A node has hardly ever more than one way out. */
const TRANSLATORS_MAX = 16;

export class NodeStream implements HalfOwner {
  readonly id: string;
  /** Names the node in records of halves, within this process. */
  readonly number: number;
  name: string;
  /** Something to be written to the store changed. */
  changed = true;
  /** What halves are judged by changed beyond its watermark: those of its connections are looked at again. */
  turned = true;
  readonly memory: NodeMemory;
  readonly clock: NodeClock;
  /** What its own admissions may excuse. */
  readonly budget: ExcuseBudget;
  /** Node clock: what its newest batch claims to be complete to. */
  #completeToMs = 0;

  constructor(id: string, name: string, number: number, memory?: NodeMemory) {
    this.id = id;
    this.name = name;
    this.number = number;
    this.memory = memory ?? emptyMemory();
    this.clock = new NodeClock(this.memory.clock);
    this.budget = new ExcuseBudget(this.memory.budget);
  }

  /**
   * Takes the times of a batch. Batches come in the order of the node's chain. Returns the step of
   * its wall clock, if it was set since the batch before.
   */
  advance(header: BatchHeader, receivedMs: number): Step | undefined {
    const { memory } = this;
    // Nobody is complete past the present: so a clock that was set back may still say.
    const completeToMs = Math.min(header.completeToMs, header.closedAtMs);
    this.#completeToMs = completeToMs;
    // The server's clock is what the others are measured by.
    const { boot } = this.clock.state;
    const step = memory.state === "server" ? undefined : this.clock.batch(header, receivedMs);
    // The wall clock of another boot may be behind: nothing of this one is complete by the old one.
    if (this.clock.state.boot !== boot) {
      memory.watermarkMs = Math.min(memory.watermarkMs, completeToMs);
    }
    if (step !== undefined) {
      memory.steps.push(step);
      keepLast(memory.steps, EXCUSES_PER_NODE_MAX);
      forgetReadings(memory.totals);
      this.turned = true;
      // A clock that was set back: what it is complete to counts by the new clock.
      if (step.byMs < 0) memory.watermarkMs = Math.min(memory.watermarkMs, completeToMs);
    }
    // What was claimed before a clock was set back counts by the clock as it is since, as what was stamped since does.
    memory.claimedMs = memory.watermarkMs + Math.min(0, step?.byMs ?? 0);
    memory.watermarkMs = Math.max(memory.watermarkMs, completeToMs);
    noteClaim(memory.totals, memory.claimedMs, header.seqFirst);
    memory.bootAtMs = header.bootAtMs;
    memory.lastReceivedMs = receivedMs;
    memory.lastClosedMs = header.closedAtMs;
    const lagMs = receivedMs - this.clock.toServerMs(header.closedAtMs, header.bootAtMs);
    if (lagMs <= STALE_LAG_MS) memory.freshAtMs = receivedMs;
    this.changed = true;
    return step;
  }

  /** The node's row is from before the server's last tick: what ticks did since then is done once more. */
  resume(tickMs: number): void {
    this.clock.settle(tickMs);
    this.budget.settle(tickMs);
    this.seal();
  }

  /** Others know it under this address too. */
  noteTranslator(address: string): void {
    const { translators } = this.memory;
    if (translators.includes(address)) return;
    translators.push(address);
    keepLast(translators, TRANSLATORS_MAX);
    this.changed = true;
  }

  /** Its clock was corrected at a tick: what is parked began at another time. */
  noteShift(shift: Omit<ClockShift, "boot">): void {
    const { shifts, clock } = this.memory;
    if (noteShift(shifts, { ...shift, boot: clock.boot })) this.changed = true;
  }

  /** At the end of each tick of the server: what is complete by then is sealed for what comes after it. */
  seal(): void {
    this.memory.sealedToMs = this.memory.watermarkMs;
  }

  /** The watermark on the server's clock. */
  get watermarkServerMs(): number {
    return this.clock.toServerMs(this.memory.watermarkMs, this.memory.bootAtMs);
  }

  get sealedToMs(): number {
    return this.memory.sealedToMs;
  }

  /** In steps, so that it is the same from one tick to the next: what waits for it would be due at another time. */
  get uncertaintyMs(): number {
    return inSteps(this.clock.uncertaintyMs);
  }

  /** The part of it that the node does not cause by sending late. */
  get steadyUncertaintyMs(): number {
    return inSteps(this.clock.steadyMs);
  }

  /** What a half's judgement takes from the clock beyond its offset. */
  get sight(): string {
    return `${this.clock.isKnown} ${this.uncertaintyMs} ${this.steadyUncertaintyMs}`;
  }

  /** The node's own time of what happened at `serverMs`. */
  toNodeMs(serverMs: number): number {
    return this.clock.toNodeMs(serverMs);
  }

  /** Whether the clock was being set around this time of its own. */
  stepAt(atMs: number): Step | undefined {
    return this.memory.steps.find(
      (step) => isAround(step, atMs) || isAround(step, atMs - step.byMs),
    );
  }

  /** An open that was seen from its first packet. */
  noteOpened(openedMs: number, place: EntryPlace): void {
    const { memory } = this;
    const { claimedMs } = memory;
    if (openedMs >= claimedMs - BACKDATED_MS_MIN) return;
    memory.backdated ??= { count: 0, first: { ...place, openedMs, claimedMs } };
    memory.backdated.count++;
  }

  /** A TCP connection that both ends have is over; `seq` is the number of its open, `bytes` what it received. */
  noteReceived(seq: number, bytes: number): void {
    if (noteReceived(this.memory.totals, seq, bytes)) this.changed = true;
  }

  /** `events`: whether it reads all of the kernel's events from now on. */
  degrade(isDegraded: boolean, atMs: number): void {
    const { overloads } = this.memory;
    const last = overloads.at(-1);
    if (!isDegraded) {
      if (last !== undefined) last.toMs ??= atMs;
      return;
    }
    if (last !== undefined && (last.toMs === null || last.fromMs >= atMs)) return;
    overloads.push({ fromMs: atMs, toMs: null });
    keepLast(overloads, EXCUSES_PER_NODE_MAX);
  }

  /** Whether it had declared to be overloaded, by its own clock. */
  isOverloadedAt(atMs: number): boolean {
    const { overloads, gaps } = this.memory;
    return (
      overloads.some((one) => one.fromMs <= atMs && (one.toMs === null || atMs <= one.toMs)) ||
      gaps.some((one) => one.cause === "pressure" && one.fromMs <= atMs && atMs <= one.toMs)
    );
  }

  /** The same by the server's clock, which need not be translated for a node that declared nothing. */
  isOverloadedAtServerMs(serverMs: number): boolean {
    const { overloads, gaps } = this.memory;
    if (overloads.length + gaps.length === 0) return false;
    return this.isOverloadedAt(this.toNodeMs(serverMs));
  }

  /** Once all of a batch was read: who says to have seen everything past its own farewell, and not to have begun anew, did not leave. */
  endClaimedAbsence(): void {
    for (const absence of this.memory.absences) {
      if (absence.toMs !== null || absence.reason !== "stopped") continue;
      if (this.#completeToMs <= absence.fromMs + ABSENCE_ENDED_MS) continue;
      absence.toMs = absence.fromMs;
      this.turned = true;
    }
  }

  /** For people: its state, or `blind` when it reports and can prove nothing of what its kernel did. */
  get shownState(): NodeState | "blind" {
    const { state, lastClosedMs, watermarkMs, startedMs } = this.memory;
    const unseenMs = lastClosedMs - Math.max(watermarkMs, startedMs);
    return state === "active" && unseenMs > BLIND_AFTER_MS ? "blind" : state;
  }

  claims(network: string, address: string): boolean {
    return this.memory.addresses[network]?.includes(address) ?? false;
  }

  /** Begins an absence; the same one twice is one. */
  leave(reason: Absence["reason"], fromMs: number, place: EntryPlace): void {
    const known = this.memory.absences.some(
      (one) => one.reason === reason && one.fromMs === fromMs,
    );
    if (known) return;
    // An agent stops before it starts again to refuse: from here on that is why it is away.
    if (reason === "opted_out") this.#end("stopped", fromMs);
    this.memory.absences.push({ reason, fromMs, toMs: null, place });
    keepLast(this.memory.absences, EXCUSES_PER_NODE_MAX);
    this.changed = true;
    this.turned = true;
  }

  /** Ends every open absence. */
  comeBack(atMs: number): void {
    for (const reason of ["stopped", "opted_out", "not_started"] as const) this.#end(reason, atMs);
    this.changed = true;
    this.turned = true;
  }

  #end(reason: Absence["reason"], atMs: number): void {
    for (const absence of this.memory.absences) {
      if (absence.reason !== reason || absence.toMs !== null) continue;
      absence.toMs = atMs;
      absence.toBootAtMs = this.memory.bootAtMs;
    }
  }

  /** Whether it had said to be away then: it left by the clock of then, and came back by that of later. */
  absenceAt(serverMs: number, slackMs: number): Absence | undefined {
    const atMs = this.toNodeMs(serverMs);
    return this.memory.absences.find(
      ({ fromMs, toMs, toBootAtMs = this.memory.bootAtMs }) =>
        fromMs - slackMs <= atMs &&
        (toMs === null || serverMs <= this.clock.toServerMs(toMs, toBootAtMs) + slackMs),
    );
  }

  /** Whether it declared that its kernel did not track for a part of this time, by its own clock. */
  wasBlind(fromMs: number, toMs: number): boolean {
    const { absences, gaps } = this.memory;
    return (
      absences.some((one) => one.fromMs <= toMs && (one.toMs === null || one.toMs >= fromMs)) ||
      gaps.some((one) => one.cause === "pressure" && one.fromMs <= toMs && one.toMs >= fromMs)
    );
  }

  /** Whether it admitted to have lost anything of this time, by its own clock. */
  hasLost(fromMs: number, toMs: number): boolean {
    return this.memory.gaps.some((one) => one.fromMs <= toMs && one.toMs >= fromMs);
  }

  /** Remembers a gap; the same entry twice is one. */
  admit(gap: GapBudget): void {
    if (this.memory.gaps.some((one) => one.index === gap.index && one.seq === gap.seq)) return;
    this.memory.gaps.push(gap);
    keepLast(this.memory.gaps, EXCUSES_PER_NODE_MAX);
    this.changed = true;
  }

  /** Uses up one lost entry of a gap around `atMs`, if there is one. */
  spendGap(atMs: number, slackMs: number): GapBudget | undefined {
    const gap = this.memory.gaps.find(
      (one) => one.remaining > 0 && one.fromMs - slackMs <= atMs && atMs <= one.toMs + slackMs,
    );
    if (gap === undefined) return undefined;
    gap.remaining--;
    this.changed = true;
    return gap;
  }

  /** Notes the numbers that `header` skipped. */
  noteHole(header: BatchHeader, index: number, receivedMs: number): void {
    const { memory } = this;
    if (header.epoch === memory.epoch && header.seqFirst > memory.nextSeq) {
      const last = header.seqFirst - 1;
      const first = memory.nextSeq;
      const { epoch } = header;
      const unexplained: Hole["unexplained"] = [[first, last]];
      memory.holes.push({
        epoch,
        first,
        last,
        index,
        seenMs: receivedMs,
        unexplained,
        told: false,
      });
      keepLast(memory.holes, EXCUSES_PER_NODE_MAX);
    }
    if (header.epoch !== memory.epoch) forgetReadings(memory.totals);
    memory.epoch = header.epoch;
    memory.nextSeq = header.seqFirst + header.entryCount;
    this.changed = true;
  }

  /** A gap entry names numbers: they are no hole any more. Returns the holes that are explained by now. */
  explainHoles(first: number, last: number): Hole[] {
    const { memory } = this;
    for (const hole of memory.holes) {
      hole.unexplained = without(hole.unexplained, first, last);
      joinLast(hole.unexplained, RANGES_PER_HOLE_MAX);
    }
    const explained = memory.holes.filter((hole) => hole.unexplained.length === 0);
    memory.holes = memory.holes.filter((hole) => hole.unexplained.length > 0);
    this.changed = true;
    return explained;
  }
}

function inSteps(uncertaintyMs: number): number {
  const moreMs = uncertaintyMs - CONFIRMED_MS - UNCERTAINTY_FREE_MS;
  return CONFIRMED_MS + Math.max(0, Math.ceil(moreMs / CONFIRMED_MS)) * CONFIRMED_MS;
}

function isAround({ fromMs, toMs }: Step, atMs: number): boolean {
  return fromMs - EXCUSE_SLACK_MS <= atMs && atMs <= toMs + EXCUSE_SLACK_MS;
}

function emptyMemory(): NodeMemory {
  return {
    epoch: 0,
    nextSeq: 0,
    state: "active",
    addresses: {},
    watermarkMs: 0,
    lastReceivedMs: 0,
    lastClosedMs: 0,
    startedMs: 0,
    freshAtMs: 0,
    claimedMs: 0,
    backdated: null,
    bootAtMs: 0,
    bootId: "",
    clock: unknownClock(UNKNOWN_MS),
    steps: [],
    sealedToMs: 0,
    tickMs: 0,
    tickIndex: -1,
    heardS: [],
    mismatches: noMismatches(),
    unread: [],
    contested: [],
    rereadFrom: 0,
    translators: [],
    isMetDirectly: false,
    forwards: false,
    trend: emptyTrend(),
    totals: noTotals(),
    budget: new ExcuseBudget().state,
    overloads: [],
    absences: [],
    gaps: [],
    holes: [],
    pacedMs: null,
    farewellMs: null,
    wasAway: false,
    wokenAs: "active",
    shifts: [],
    parked: nothingParked(),
  };
}

function without(ranges: Hole["unexplained"], first: number, last: number): Hole["unexplained"] {
  return ranges.flatMap(([from, to]) => {
    if (last < from || to < first) return [[from, to]];
    const left: Hole["unexplained"] = [];
    if (from < first) left.push([from, first - 1]);
    if (to > last) left.push([last + 1, to]);
    return left;
  });
}

/** Of too many ranges the last are one, with what is between them: who explains one number in two explains nothing. */
function joinLast(ranges: Hole["unexplained"], max: number): void {
  const [first, last] = [ranges[max - 1], ranges.at(-1)];
  if (ranges.length > max && first !== undefined && last !== undefined) {
    ranges.splice(max - 1, Infinity, [first[0], last[1]]);
  }
}

function keepLast(list: unknown[], max: number): void {
  if (list.length > max) list.splice(0, list.length - max);
}
