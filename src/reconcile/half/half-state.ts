/**
 * What the comparison holds of a half beside what its node recorded: flags, and the verdict. A
 * connection has no record of its own: its verdict stands with the half that names it, its key.
 */
import { COUNTER_STATES, type CounterState, type Verdict, VERDICTS } from "../../format/verdict.ts";
import { CELL, type Half, type HalfRecords } from "./half-records.ts";

/** Bits of `CELL.state`. Those below 5 are the verdict and the state of the counters, those from 24 to 28 the excuse. */
export const MARK = {
  /** Leaves memory as soon as its row is written. */
  parked: 1 << 5,
  /** Its node has more instances of its tuple than are compared: it stands alone for good. */
  surplus: 1 << 6,
  // 7 is free.
  /** The record is in use. */
  live: 1 << 8,
  /** The second half of a pair, which does not name the connection. */
  second: 1 << 9,
  /** Nothing that may still arrive changes it; it is written once more and forgotten. */
  settled: 1 << 10,
  /** Waits to be written. */
  dirty: 1 << 11,
  /** To be looked at when the server ticks next. */
  touched: 1 << 12,
  /** Its tuple is to be aligned when the server ticks next. */
  contended: 1 << 13,
  /** The store has a row under its name. */
  hasRow: 1 << 14,
  /** A finding `missing-half` about it is open. */
  foundMissing: 1 << 15,
  /** Another session of the same tuple lay within this one: the two ends divided it differently. */
  split: 1 << 16,
  /** A forwarder between the two ends has a record too. */
  forwarded: 1 << 17,
  /** In the tuple index. */
  indexed: 1 << 18,
  /** Waits for its peer's stream to move. */
  awaitsPeer: 1 << 19,
  /** Waits for the last counters of its connection. */
  awaitsCounters: 1 << 20,
  /** Waits until no other part of its session can come. */
  awaitsParts: 1 << 21,
  /** Clocks and budgets have taken notice of the pair. */
  noted: 1 << 22,
  /** Waits for everybody, as long as its peer is nobody. */
  awaitsEverybody: 1 << 23,
  /** Among the lone halves of its responder's end (lone-ends.ts). */
  listed: 1 << 29,
  // 30 and 31 are free.
} as const;

/** Why a mismatch is harmless, as the column `excuse` says it; the first is none. */
export const EXCUSES = [
  "",
  "offline",
  "opted_out",
  "not_monitored",
  "gap",
  "pickup",
  "one_way",
  "protocol",
  "ambiguous_address",
  "router",
  "nat",
  "idle_split",
  "clock",
  "by_hand",
] as const;
export type Excuse = (typeof EXCUSES)[number];

const VERDICT_BITS = 0b111;
const COUNTERS_AT = 3;
const EXCUSE_AT = 24;
const EXCUSE_BITS = 31;

const VERDICT_NUMBER = numbersOf(VERDICTS);
const COUNTERS_NUMBER = numbersOf(COUNTER_STATES);
const EXCUSE_NUMBER = numbersOf(EXCUSES);

export function hasMark(half: Half, mark: number): boolean {
  return slotHasMark(half.records, half.slot, mark);
}

export function setMark(half: Half, mark: number): void {
  setSlotMark(half.records, half.slot, mark);
}

export function clearMark(half: Half, mark: number): void {
  clearSlotMark(half.records, half.slot, mark);
}

/** For loops over all records, without a window on each; so are the next two. */
export function slotHasMark(records: HalfRecords, slot: number, mark: number): boolean {
  return (records.cell(slot, CELL.state) & mark) !== 0;
}

export function setSlotMark(records: HalfRecords, slot: number, mark: number): void {
  records.setCell(slot, CELL.state, records.cell(slot, CELL.state) | mark);
}

export function clearSlotMark(records: HalfRecords, slot: number, mark: number): void {
  records.setCell(slot, CELL.state, records.cell(slot, CELL.state) & ~mark);
}

export function verdictOf(key: Half): Verdict {
  return VERDICTS[key.records.cell(key.slot, CELL.state) & VERDICT_BITS] ?? "pending";
}

export function countersOf(key: Half): CounterState {
  return COUNTER_STATES[(key.records.cell(key.slot, CELL.state) >> COUNTERS_AT) & 3] ?? "pending";
}

export function excuseOf(key: Half): Excuse {
  return EXCUSES[(key.records.cell(key.slot, CELL.state) >> EXCUSE_AT) & EXCUSE_BITS] ?? "";
}

export function setVerdict(key: Half, verdict: Verdict, excuse: Excuse = ""): void {
  const { records, slot } = key;
  const state = records.cell(slot, CELL.state) & ~(VERDICT_BITS | (EXCUSE_BITS << EXCUSE_AT));
  const excused = EXCUSE_NUMBER[excuse] << EXCUSE_AT;
  records.setCell(slot, CELL.state, state | VERDICT_NUMBER[verdict] | excused);
}

export function setCounters(key: Half, counters: CounterState): void {
  const { records, slot } = key;
  const state = records.cell(slot, CELL.state) & ~(3 << COUNTERS_AT);
  records.setCell(slot, CELL.state, state | (COUNTERS_NUMBER[counters] << COUNTERS_AT));
}

/** By name: its place among the names. */
export function numbersOf<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<T, number>;
}
