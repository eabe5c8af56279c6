/**
 * What halves wait for before they are decided: a node's stream, one that left, or everybody. A plan counts
 * until the half is judged anew; then it waits again where it has to.
 */
import { CELL, Half, type HalfRecords, type Names } from "../half/half-records.ts";
import { clearMark, hasMark, MARK, setMark } from "../half/half-state.ts";
import { type Sky, type Until } from "./judge.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { type IsGone, Waiting } from "./waiting.ts";
import { farewellLimitMs, wakeLimitMs } from "./wake-limit.ts";

const AWAITS = MARK.awaitsPeer | MARK.awaitsEverybody | MARK.awaitsCounters | MARK.awaitsParts;
/** So many plans may count no more before all are gone through. */
const STALE_PLANS_MIN = 1_024;

export class Plans {
  readonly #records: HalfRecords;
  readonly #names: Names;
  readonly #waiting = new Waiting();
  /** Plans that wait for nodes that left. */
  readonly #left = new Waiting();
  /** Plans that wait for everybody. */
  readonly #strangers = new Waiting();
  /** Plans when all were gone through last. */
  #kept = 0;

  constructor(records: HalfRecords, names: Names) {
    this.#records = records;
    this.#names = names;
  }

  /** Those included that count no more. */
  get count(): number {
    return this.#waiting.count + this.#left.count + this.#strangers.count;
  }

  /** Once for each thing that it waits for (a mark), however often it changes meanwhile. */
  plan(half: Half, mark: number, until: readonly Until[]): void {
    if (until.length === 0 || hasMark(half, mark)) return;
    setMark(half, mark);
    const plans = half.records.cell(half.slot, CELL.plans);
    for (const { node, atMs, lookMs = atMs, isFarewell } of until) {
      const waiting = isFarewell ? this.#left : this.#waiting;
      waiting.plan(node.number, lookMs, half.slot, plans);
    }
  }

  /** Until everybody is past `atMs`. */
  planForEverybody(half: Half, atMs: number): void {
    if (hasMark(half, MARK.awaitsEverybody)) return;
    setMark(half, MARK.awaitsEverybody);
    this.#strangers.plan(0, atMs, half.slot, half.records.cell(half.slot, CELL.plans));
  }

  /** Takes out what need wait no longer; the window that is handed out moves on. */
  due(streams: readonly NodeStream[], sky: Sky, each: (half: Half) => void): void {
    const half = new Half(this.#records, this.#names, 0);
    const wake = (slot: number, plans: number): void => {
      if (this.#records.cell(slot, CELL.plans) !== plans) return;
      half.slot = slot;
      dropPlans(half);
      each(half);
    };
    for (const stream of streams) {
      this.#waiting.due(stream.number, wakeLimitMs(stream, sky.nowMs), wake);
      this.#left.due(stream.number, farewellLimitMs(stream, sky.nowMs), wake);
    }
    this.#strangers.due(0, sky.everybodyMs, wake);
  }

  /** Goes through all plans that wait for a stream, and drops each plan for which `isGone` returns true. */
  sift(isGone: IsGone): void {
    this.#waiting.sift(isGone);
    this.#left.sift(isGone);
  }

  /** Halves that are judged again and again leave plans behind. */
  tidy(): void {
    if (this.count < STALE_PLANS_MIN + 2 * this.#kept) return;
    const isGone: IsGone = (slot, plans) => this.#records.cell(slot, CELL.plans) !== plans;
    for (const waiting of [this.#waiting, this.#left, this.#strangers]) waiting.sift(isGone);
    this.#kept = this.count;
  }
}

/** What it waited for until now wakes it no more. */
export function dropPlans(half: Half): void {
  if (!hasMark(half, AWAITS)) return;
  clearMark(half, AWAITS);
  const { records, slot } = half;
  records.setCell(slot, CELL.plans, (records.cell(slot, CELL.plans) + 1) | 0);
}
