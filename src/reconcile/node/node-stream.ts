/**
 * What reconcile knows of one node from its stream: what it claims, how far it is complete, when it
 * was away, and what it admitted that it lost. Survives a restart as JSON in the store.
 */
import type { BatchHeader } from "../../format/batch.ts";
import { beginAbsence, endAbsences, endClaimedAbsences } from "./absences.ts";
import { type ClockShift, noteShift } from "./clock-shifts.ts";
import { ExcuseBudget } from "./excuse/excuse-budget.ts";
import { admitGap, hasLost, isOverloadedAt, noteDegraded, spendGap, wasBlind } from "./gaps.ts";
import type { EntryPlace, HalfOwner } from "../half/half-records.ts";
import { hourOf } from "../hours.ts";
import { explainHoles, noteHole } from "./holes.ts";
import { keepLast } from "./keep-last.ts";
import {
  BACKDATED_MS_MIN,
  BLIND_AFTER_MS,
  EXCUSES_PER_NODE_MAX,
  EXCUSE_SLACK_MS,
  RETRANSMIT_MS_MAX,
  SAID_BY_MAX,
  STRANGER_HOURS_KEPT,
  TRANSLATORS_MAX,
} from "../limits.ts";
import { CONFIRMED_MS, NodeClock, type Step } from "./node-clock.ts";
import {
  type Absence,
  emptyMemory,
  type GapBudget,
  type Hole,
  type NodeMemory,
  type NodeState,
} from "./node-memory.ts";
import { forgetReadings, noteClaim, noteReceived } from "./totals.ts";

/** The part of what a known clock is allowed for that its drift since the last batch may use up. */
const UNCERTAINTY_FREE_MS = 250;

/** A batch that arrived this much later than its clock explains had been waiting. */
const STALE_LAG_MS = 5_000;

/** A responder that says so alone may have made it up, and is believed for its own connections alone. */
const SAID_BY_MIN = 2;

export class NodeStream implements HalfOwner {
  readonly id: string;
  /** Names the node in records of halves, within this process. */
  readonly number: number;
  name: string;
  /** Something to be written to the store changed. */
  changed = true;
  /** Something by which halves are judged changed, other than its watermark: those of its connections are looked at again. */
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
    // Nobody is complete past the present, though a node may still say so after its clock was set back.
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

  /** `responder`, a node's id, knows it under this address. */
  noteTranslator(address: string, responder: string): void {
    const { translators } = this.memory;
    const known = translators.find((one) => one.address === address);
    if (known === undefined) {
      translators.push({ address, by: [responder] });
      keepLast(translators, TRANSLATORS_MAX);
    } else {
      if (known.by.length >= SAID_BY_MAX || known.by.includes(responder)) return;
      known.by.push(responder);
    }
    this.changed = true;
  }

  /** Under which addresses it is known to `responder`, by what that one says itself or several others do. */
  knownTo(responder: string): string[] {
    return this.memory.translators.flatMap(({ address, by }) =>
      by.length >= SAID_BY_MIN || by.includes(responder) ? [address] : [],
    );
  }

  /** It has a half of a stranger with this address, and nobody was found to have the other half. */
  noteStranger(address: string, serverMs: number): void {
    const { strangers } = this.memory;
    const hour = hourOf(serverMs);
    for (const known of Object.keys(strangers)) {
      if (Number(known) <= hour - STRANGER_HOURS_KEPT) delete strangers[known];
    }
    const counts = (strangers[hour] ??= {});
    counts[address] = (counts[address] ?? 0) + 1;
    this.changed = true;
  }

  /** Uses up one of the strangers of around that time. Returns whether there was one. */
  takeStranger(address: string, serverMs: number): boolean {
    const { strangers } = this.memory;
    // What one end began in one hour, the other may have heard of in the next.
    for (const atMs of [serverMs, serverMs - EXCUSE_SLACK_MS, serverMs + RETRANSMIT_MS_MAX]) {
      const counts = strangers[hourOf(atMs)];
      const count = counts?.[address];
      if (counts === undefined || count === undefined) continue;
      if (count > 1) counts[address] = count - 1;
      else delete counts[address];
      this.changed = true;
      return true;
    }
    return false;
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

  /** In steps, so that it is the same from one tick to the next: otherwise what waits for it would be due at another time with each. */
  get uncertaintyMs(): number {
    return inSteps(this.clock.uncertaintyMs);
  }

  /** The part of it that the node does not cause by sending late. */
  get steadyUncertaintyMs(): number {
    return inSteps(this.clock.steadyMs);
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

  /** `isDegraded`: whether it leaves out kernel events from now on. */
  degrade(isDegraded: boolean, atMs: number): void {
    noteDegraded(this.memory, isDegraded, atMs);
  }

  /** Whether it had declared an overload then, by its own clock. */
  isOverloadedAt(atMs: number): boolean {
    return isOverloadedAt(this.memory, atMs);
  }

  /** The same by the server's clock, which need not be translated for a node that declared nothing. */
  isOverloadedAtServerMs(serverMs: number): boolean {
    const { overloads, gaps } = this.memory;
    if (overloads.length + gaps.length === 0) return false;
    return this.isOverloadedAt(this.toNodeMs(serverMs));
  }

  /** Once all of a batch was read: a node that claims to have seen everything past its own stop did not stop. */
  endClaimedAbsence(): void {
    if (endClaimedAbsences(this.memory, this.#completeToMs)) this.turned = true;
  }

  /** For people: its state, or `blind` when it reports and can prove nothing of what its kernel did. */
  get shownState(): NodeState | "blind" {
    const { state, lastClosedMs, watermarkMs, startedMs } = this.memory;
    const unseenMs = lastClosedMs - Math.max(watermarkMs, startedMs);
    return state === "active" && unseenMs > BLIND_AFTER_MS ? "blind" : state;
  }

  /** Begins an absence; the same one twice is one. */
  leave(reason: Absence["reason"], fromMs: number, place: EntryPlace): void {
    if (!beginAbsence(this.memory, reason, { fromMs, place })) return;
    this.changed = true;
    this.turned = true;
  }

  /** Ends every open absence. */
  comeBack(atMs: number): void {
    endAbsences(this.memory, atMs);
    this.changed = true;
    this.turned = true;
  }

  /** The absence that it declared for then: it left by the clock as it was, and came back by the clock as it was later. */
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
    return wasBlind(this.memory, fromMs, toMs);
  }

  /** Whether it admitted that it lost anything of this time, by its own clock. */
  hasLost(fromMs: number, toMs: number): boolean {
    return hasLost(this.memory, fromMs, toMs);
  }

  /** Remembers a gap; the same entry twice is one. */
  admit(gap: GapBudget): void {
    if (admitGap(this.memory, gap)) this.changed = true;
  }

  /** Uses up one lost entry of a gap around `atMs`, if there is one. */
  spendGap(atMs: number, slackMs: number): GapBudget | undefined {
    const gap = spendGap(this.memory, atMs, slackMs);
    if (gap !== undefined) this.changed = true;
    return gap;
  }

  /** Notes the numbers that `header` skipped. */
  noteHole(header: BatchHeader, index: number, receivedMs: number): void {
    const { memory } = this;
    if (header.epoch !== memory.epoch) forgetReadings(memory.totals);
    noteHole(memory, header, { index, receivedMs });
    this.changed = true;
  }

  /** A gap entry names numbers: they are no hole any more. Returns the holes that are explained by now. */
  explainHoles(first: number, last: number): Hole[] {
    this.changed = true;
    return explainHoles(this.memory, first, last);
  }
}

function inSteps(uncertaintyMs: number): number {
  const moreMs = uncertaintyMs - CONFIRMED_MS - UNCERTAINTY_FREE_MS;
  return CONFIRMED_MS + Math.max(0, Math.ceil(moreMs / CONFIRMED_MS)) * CONFIRMED_MS;
}

function isAround({ fromMs, toMs }: Step, atMs: number): boolean {
  return fromMs - EXCUSE_SLACK_MS <= atMs && atMs <= toMs + EXCUSE_SLACK_MS;
}
