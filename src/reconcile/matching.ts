/**
 * Which halves are one connection. Every half is paired at most once, and what is final does not
 * depend on which node's batches came first:
 *
 *   - two halves that are alone with their tuple and began together are a pair at once, so that
 *     people see it at once;
 *   - whenever a third one comes, the tuple is contended: at the server's next tick all of its
 *     instances that are not sealed are aligned anew (align.ts);
 *   - a pair is sealed when, at the tick before, both ends' streams were complete past it: no other
 *     instance can come that would fit better.
 *
 * Halves of forwarders pair with nobody. One that translates addresses has both tuples, and so brings
 * together two halves that have no tuple in common.
 */
import { align, type Aligned } from "./align.ts";
import { inOrder } from "./half-order.ts";
import { CELL, FORWARDER, Half, type HalfRecords, type Names, ROLE_AT } from "./half-records.ts";
import { clearMark, hasMark, MARK, setMark, slotHasMark, verdictOf } from "./half-state.ts";
import {
  PAIRING_AT_ONCE_MS,
  PAIRING_NEAR_MS,
  PAIRING_PICKUP_MS,
  PAIRING_SKIP_MS,
  RETRANSMIT_MS_MAX,
  SEAL_MS,
} from "./limits.ts";
import { TupleIndex } from "./tuple-index.ts";

const TCP = 6;
/** Instances of a tuple for which shifts are tried. */
const SHIFTED_MAX = 24;

/** What is known of the node that recorded a half, as of the server's last tick. */
export interface NodeSight {
  /** Node clock: its stream was complete up to here. */
  readonly sealedToMs: number;
  /** How far its clock may be off what is known of it. */
  readonly uncertaintyMs: number;
}

export interface MatchingOptions {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly sightOf: (node: number) => NodeSight;
  /** Journal index of the server's last tick. */
  readonly lastTickIndex: () => number;
  /** Two halves are one connection from now on, or are no longer. */
  readonly paired: (a: Half, b: Half) => void;
  readonly parted: (a: Half, b: Half) => void;
  /** A forwarder has a record of its connection too, or another of its halves has come. */
  readonly accompanied: (slot: number) => void;
}

export class Matching {
  readonly tuples: TupleIndex;
  readonly #options: MatchingOptions;
  #contended: number[] = [];
  readonly #mates: number[] = [];
  readonly #one: Half;

  constructor(options: MatchingOptions) {
    this.#options = options;
    this.tuples = new TupleIndex(options.records);
    this.#one = new Half(options.records, options.names, 0);
  }

  /** A half has come. */
  add(half: Half): void {
    this.tuples.add(half);
    setMark(half, MARK.indexed);
    if (!this.tuples.hasOthers(half)) return;
    this.tuples.mates(half, this.#mates);
    this.#markForwarded(half);
    const rivals = this.#rivals(half);
    const [only] = rivals;
    if (only === undefined) return;
    if (rivals.length === 1 && this.#isAtOnce(half, only)) this.#options.paired(half, only);
    else this.contend(half);
  }

  /** With whom a half that comes now may change who is a pair. */
  #rivals(half: Half): Half[] {
    if (isBystander(half)) return [];
    const { records, names } = this.#options;
    return this.#mates
      .filter((slot) => !this.#isSealed(slot))
      .map((slot) => new Half(records, names, slot))
      .filter((mate) => !isBystander(mate));
  }

  remove(half: Half): void {
    if (!hasMark(half, MARK.indexed)) return;
    clearMark(half, MARK.indexed);
    this.tuples.remove(half);
  }

  /** Addresses have other numbers now. */
  reindex(): void {
    const { records, names } = this.#options;
    this.tuples.clear();
    const half = new Half(records, names, 0);
    for (half.slot = 0; half.slot < records.end; half.slot++) {
      if (hasMark(half, MARK.indexed)) this.tuples.add(half);
    }
  }

  /** Takes up a half that came in an earlier run. */
  restore(half: Half): void {
    this.tuples.add(half);
    setMark(half, MARK.indexed);
    if (!this.tuples.hasOthers(half)) return;
    this.tuples.mates(half, this.#mates);
    this.#markForwarded(half);
  }

  /** Once all are taken up: what came since the last tick, and is to be aligned at the next. */
  restoreContended(half: Half): void {
    if (half.isPaired || half.index <= this.#options.lastTickIndex()) return;
    this.tuples.mates(half, this.#mates);
    if (this.#rivals(half).length > 0) this.contend(half);
  }

  /** Aligns what became contended since the last tick. */
  settle(): void {
    const contended = this.#contended;
    this.#contended = [];
    const half = new Half(this.#options.records, this.#options.names, 0);
    for (const slot of contended) {
      half.slot = slot;
      if (!hasMark(half, MARK.contended)) continue;
      this.#alignAround(new Half(this.#options.records, this.#options.names, slot));
    }
  }

  /** Slots of all other halves of the tuple; valid until the next call. */
  mates(half: Half): readonly number[] {
    this.tuples.mates(half, this.#mates);
    return this.#mates;
  }

  /** Of a tuple with a forwarder, all know that there is one. */
  #markForwarded(half: Half): void {
    const { records } = this.#options;
    const isForwarder = (slot: number): boolean =>
      ((records.cell(slot, CELL.bits) >> ROLE_AT) & 3) === FORWARDER;
    if (half.roleNumber !== FORWARDER && !this.#mates.some(isForwarder)) return;
    for (const slot of [half.slot, ...this.#mates]) {
      records.setCell(slot, CELL.state, records.cell(slot, CELL.state) | MARK.forwarded);
      this.#options.accompanied(slot);
    }
  }

  /** The half that `node` has of the same connection as a forwarder that translates; it pairs with no other. */
  forwarderOf(half: Half, node: number): Half | undefined {
    if (!hasMark(half, MARK.forwarded)) return undefined;
    const { records, names } = this.#options;
    const awayMs = (mate: Half): number => Math.abs(mate.serverMs - half.serverMs);
    return this.mates(half)
      .map((slot) => new Half(records, names, slot))
      .filter((mate) => mate.nodeNumber === node && mate.second !== undefined && !mate.isPaired)
      .toSorted((a, b) => awayMs(a) - awayMs(b) || inOrder(a, b))[0];
  }

  /** It, or another of its tuple, is to be aligned at the next tick. */
  isContended(half: Half): boolean {
    const { records } = this.#options;
    if (hasMark(half, MARK.contended)) return true;
    if (!this.tuples.hasOthers(half)) return false;
    return this.mates(half).some((slot) => slotHasMark(records, slot, MARK.contended));
  }

  /** To be aligned at the next tick. */
  contend(half: Half): void {
    if (hasMark(half, MARK.contended)) return;
    setMark(half, MARK.contended);
    this.#contended.push(half.slot);
  }

  #isAtOnce(a: Half, b: Half): boolean {
    if (a.roleNumber === FORWARDER || b.roleNumber === FORWARDER) return false;
    // What is picked up is as near as its end is, and that may have come or not.
    if (a.pickup || b.pickup) return false;
    // What was decided already changes at a tick only.
    if (b.isPaired || verdictOf(b) !== "pending" || !canPair(a, b)) return false;
    return apartMs(a, b) <= PAIRING_AT_ONCE_MS;
  }

  #isSealed(slot: number): boolean {
    const { records } = this.#options;
    const partner = records.cell(slot, CELL.partner) - 1;
    if (partner === -1) return false;
    return this.#isPast(slot) && this.#isPast(partner);
  }

  #isPast(slot: number): boolean {
    const { sightOf, lastTickIndex } = this.#options;
    const half = this.#one;
    half.slot = slot;
    if (half.index >= lastTickIndex()) return false;
    return half.openedMs + SEAL_MS < sightOf(half.nodeNumber).sealedToMs;
  }

  /** All instances around a contended half, from forwarder to forwarder where addresses are translated. */
  #alignAround(start: Half): void {
    const halves = this.#neighbours(start);
    for (const half of halves) clearMark(half, MARK.contended);
    const ends = halves.filter((half) => half.roleNumber !== FORWARDER);
    const first = ends.toSorted(inOrder)[0];
    if (first === undefined) return;
    const side = sideOf(first);
    const left = ends.filter((half) => sideOf(half) === side).toSorted(inOrder);
    const right = ends.filter((half) => sideOf(half) !== side).toSorted(inOrder);
    this.#apply(left, right, this.#alignSides(left, right));
  }

  /**
   * Where a port is used again and again, clocks that are off by as much as is allowed for would set each instance
   * against the next one: so a common shift is tried too, which explains all of them at once.
   */
  #alignSides(left: readonly Half[], right: readonly Half[]): [left: number, right: number][] {
    const skip = this.#skip([...left, ...right]);
    let best: Aligned | undefined;
    for (const shiftMs of this.#shifts(left, right)) {
      const found = align({
        left: left.length,
        right: right.length,
        skip,
        cost: (l, r) => this.#cost(left[l], right[r], shiftMs),
      });
      const total = found.total + Math.abs(shiftMs);
      if (best === undefined || total < best.total) best = { ...found, total };
    }
    return best?.pairs ?? [];
  }

  /** By how much the right side's clock may be ahead of the left one's; none first. */
  #shifts(left: readonly Half[], right: readonly Half[]): number[] {
    const [a, b] = [left[0], right[0]];
    const isSmall = left.length + right.length <= SHIFTED_MAX;
    if (a === undefined || b === undefined || left.length < 2 || right.length < 2 || !isSmall) {
      return [0];
    }
    const mostMs = this.#uncertainty(a) + this.#uncertainty(b);
    const shifts = left.flatMap((l) => right.map((r) => Math.round(r.serverMs - l.serverMs)));
    return [0, ...shifts.filter((shiftMs) => Math.abs(shiftMs) <= mostMs)];
  }

  #neighbours(start: Half): Half[] {
    const { records, names } = this.#options;
    const found = new Map([[start.slot, start]]);
    for (const half of found.values()) {
      if (half !== start && half.roleNumber !== FORWARDER) continue;
      for (const slot of this.mates(half)) {
        if (found.has(slot) || this.#isSealed(slot)) continue;
        found.set(slot, new Half(records, names, slot));
      }
    }
    return [...found.values()];
  }

  /** Where a clock is unknown, order alone must do: then leaving two alone never pays. */
  #skip(halves: readonly Half[]): number {
    const isKnown = halves.every((half) => this.#uncertainty(half) < PAIRING_SKIP_MS);
    return isKnown ? PAIRING_SKIP_MS : PAIRING_NEAR_MS;
  }

  #cost(a: Half | undefined, b: Half | undefined, shiftMs: number): number {
    if (a === undefined || b === undefined || !canPair(a, b)) return Infinity;
    const isSeen = !a.pickup && !b.pickup;
    const apart = isSeen ? Math.abs(b.serverMs - a.serverMs - shiftMs) : apartMs(a, b);
    const near = PAIRING_SKIP_MS + this.#uncertainty(a) + this.#uncertainty(b);
    // After a crash an agent may open again what it had opened, and not know when it began.
    if (apart <= near) return apart + (a.pickup || b.pickup ? PAIRING_PICKUP_MS : 0);
    return isRetransmitted(a, b) ? near : Infinity;
  }

  #uncertainty(half: Half): number {
    return this.#options.sightOf(half.nodeNumber).uncertaintyMs;
  }

  #apply(left: readonly Half[], right: readonly Half[], pairs: readonly [number, number][]): void {
    const { paired, parted, records, names } = this.#options;
    const wanted = new Map(pairs.map(([l, r]) => [left[l]?.slot ?? -1, right[r]?.slot ?? -1]));
    for (const half of left) {
      if (half.isPaired && wanted.get(half.slot) !== half.partner)
        parted(half, new Half(records, names, half.partner));
    }
    for (const [l, r] of pairs) {
      const [a, b] = [left[l], right[r]];
      if (a === undefined || b === undefined || a.partner === b.slot) continue;
      if (b.isPaired) parted(b, new Half(records, names, b.partner));
      paired(a, b);
    }
  }
}

/** A forwarder that does not translate brings nobody together. */
function isBystander(half: Half): boolean {
  return half.roleNumber === FORWARDER && half.second === undefined;
}

/** The end at which a half was recorded: where addresses are translated, only the own one is its own. */
function sideOf(half: Half): number {
  return half.ownIpNumber;
}

function canPair(a: Half, b: Half): boolean {
  if (a.nodeNumber === b.nodeNumber || a.ownIpNumber === b.ownIpNumber) return false;
  return orientationsFit(a, b);
}

/** Both ends agree on who began; unless one guessed, or both began at once. */
function orientationsFit(a: Half, b: Half): boolean {
  if (a.pickup || b.pickup) return true;
  if (a.roleNumber !== b.roleNumber) return true;
  return a.roleNumber === 0 && b.roleNumber === 0 && a.initiatorIpNumber !== b.initiatorIpNumber;
}

/** The first SYN was lost, and some after it: the responder's kernel heard of it that much later. */
function isRetransmitted(a: Half, b: Half): boolean {
  if (a.protocol !== TCP || a.roleNumber === b.roleNumber) return false;
  const lateMs = (b.serverMs - a.serverMs) * (a.roleNumber === 0 ? 1 : -1);
  return lateMs > 0 && lateMs <= RETRANSMIT_MS_MAX;
}

/** A picked-up half was open for an unknown time: only that both lived at once can be asked. */
export function apartMs(a: Half, b: Half): number {
  if (!a.pickup && !b.pickup) return Math.abs(a.serverMs - b.serverMs);
  return Math.max(0, a.serverMs - endOf(b), b.serverMs - endOf(a));
}

function endOf(half: Half): number {
  return half.closed ? half.closedServerMs : Infinity;
}
