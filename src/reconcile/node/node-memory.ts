/** What is remembered of one node: plain JSON, a row of the store. */
import type { GapEntry } from "../../format/entry.ts";
import { type ClockState, unknownClock } from "./clock/clock-state.ts";
import type { ClockShift } from "./clock-shifts.ts";
import { ExcuseBudget, type ExcuseState } from "./excuse/excuse-budget.ts";
import type { EntryPlace } from "../half/half-records.ts";
import { type Step, UNKNOWN_MS } from "./node-clock.ts";
import {
  type MismatchMemory,
  noMismatches,
  nothingParked,
  type ParkedMemory,
  type StoredFinding,
} from "./server-memory.ts";
import { noTotals, type TotalsMemory } from "./totals.ts";
import { emptyTrend, type TrustTrend } from "./trust-trend.ts";

/** `server`: the server's own stream, which is no node of the mesh. */
export type NodeState = "active" | "silent" | "stopped" | "opted_out" | "revoked" | "server";

/** A time, by the node's clock, in which it did not observe, as it says. `toMs` null: still. */
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

/** Connections that began, as a node says, at a time of which it had said that it told all. */
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

/** An address under which a node is known, and to whom. */
export interface Translator {
  readonly address: string;
  /** The first responders that recorded it so, by id. */
  readonly by: string[];
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
  /** Addresses that others know it under, because something that is no node translates its own; the newest last. */
  translators: Translator[];
  /** Halves of strangers that nobody else was found for, with addresses that others are known under: how many, by hour and address. */
  strangers: Record<string, Record<string, number>>;
  /** A responder recorded a connection of this node under the node's own address. */
  isMetDirectly: boolean;
  /** It forwards connections of others. */
  forwards: boolean;
  trend: TrustTrend;
  /** What its interfaces carried, and what its connections received meanwhile. */
  totals: TotalsMemory;
  budget: ExcuseState;
  /** Node clock: times for which it declared an overload. `toMs` null: still. */
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

/** Of a node that nothing was heard from. */
export function emptyMemory(): NodeMemory {
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
    strangers: {},
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
