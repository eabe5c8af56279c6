/**
 * Which halves are one connection. Every half is paired at most once, and what is final does not
 * depend on which node's batches came first:
 *
 *   - two halves that are alone with their tuple and began together are a pair at once, so that
 *     people see it at once;
 *   - whenever a third one comes, the tuple is contended: at the server's next tick all of its
 *     instances that are not sealed are aligned anew (align.ts);
 *   - a pair is sealed when, at the tick before, both ends' streams were complete past it: no other
 *     instance can come that would fit better;
 *   - where a tuple has several instances, nothing is concluded from who is a pair, or alone, before all
 *     of them were aligned once more with everything known that can come.
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
  PAIRING_CLOSE_MS,
  PAIRING_NEAR_MS,
  PAIRING_PICKUP_MS,
  PAIRING_SKIP_MS,
  RETRANSMIT_MS_MAX,
  SEAL_MS,
} from "./limits.ts";
import { TupleIndex } from "./tuple-index.ts";

const TCP = 6;
const NOBODY: readonly Half[] = [];
/** Instances of a tuple for which shifts are tried. */
const SHIFTED_MAX = 24;
/** What is further apart than two ends that agree are: each millisecond counts so many times, for nothing common to all explains it. */
const FAR_FACTOR = 4;
/** A first packet that was sent again is likelier than that one half is lacking at each end, and each further time half as likely. */
const RETRANSMITTED_MS = 2_000;
const RETRANSMITTED_AGAIN_MS = 500;

/** What is known of the node that recorded a half, as of the server's last tick. */
export interface NodeSight {
  /** Node clock: its stream was complete up to here. */
  readonly sealedToMs: number;
  /** On the server's clock: its stream is complete up to here, by what came before this tick. */
  readonly watermarkServerMs: number;
  /** How far its clock may be off what is known of it. */
  readonly uncertaintyMs: number;
  /** Whether its clock was being set around this time of its own, and by how much. */
  stepAt(atMs: number): { readonly byMs: number } | undefined;
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
    const hasOthers = this.tuples.add(half);
    setMark(half, MARK.indexed);
    if (!hasOthers) return;
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
    const rivals: Half[] = [];
    if (isBystander(half)) return rivals;
    const { records, names } = this.#options;
    for (const slot of this.#mates) {
      if (this.#isSealed(slot)) continue;
      const mate = new Half(records, names, slot);
      if (!isBystander(mate)) rivals.push(mate);
    }
    return rivals;
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
    const hasOthers = this.tuples.add(half);
    setMark(half, MARK.indexed);
    if (!hasOthers) return;
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
    const mates = this.mates(half).map((slot) => new Half(records, names, slot));
    // A translated tuple is used again too: what was forwarded for another instance of this end is that one's.
    const others = mates.filter(
      (mate) => mate.roleNumber !== FORWARDER && sideOf(mate) === sideOf(half),
    );
    return mates
      .filter((mate) => mate.nodeNumber === node && mate.second !== undefined && !mate.isPaired)
      .filter((mate) => this.#isNear(half, mate))
      .filter((mate) => others.every((other) => apartMs(other, mate) >= apartMs(half, mate)))
      .toSorted((a, b) => apartMs(half, a) - apartMs(half, b) || inOrder(a, b))[0];
  }

  #isNear(half: Half, forwarder: Half): boolean {
    if (half.pickup || forwarder.pickup) {
      return apartMs(half, forwarder) <= this.#nearMs(half, forwarder);
    }
    const lateMs = forwarder.serverMs - half.serverMs;
    return this.#distance(half, forwarder, lateMs) < Infinity;
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
    const { sealedToMs, uncertaintyMs } = sightOf(half.nodeNumber);
    return half.openedMs + SEAL_MS + uncertaintyMs < sealedToMs;
  }

  /**
   * Aligns all instances of the tuple once more, before something is concluded from who its partner is, or
   * from there being none: by now all have come that could. Returns whether it has another partner, or one
   * at last.
   */
  realign(half: Half): boolean {
    const before = half.partner;
    const halves = this.#neighbours(half, this.#isWithinReach(half));
    const slots = new Set(halves.map(({ slot }) => slot));
    const { records, names } = this.#options;
    // Whose partner is further away than that keeps it.
    const partners = halves.filter(({ isPaired, partner }) => isPaired && !slots.has(partner));
    this.#alignAll(
      [...halves, ...partners.map(({ partner }) => new Half(records, names, partner))],
      true,
    );
    return half.partner !== before;
  }

  /** Whether its tuple has other ends, on either side of a translation. */
  hasRivals(half: Half): boolean {
    return this.#endsBeside(half).length > 0;
  }

  /** Until when another instance may come that fits one of the two better, on the server's clock; undefined where the tuple has no other. */
  contestedUntil(a: Half, b: Half): number | undefined {
    // Nearly always: without the lists of what follows.
    if (b.roleNumber !== FORWARDER && this.tuples.areAlone(a, b)) return undefined;
    if (this.#endsBeside(a).every((half) => half.slot === b.slot)) return undefined;
    const uncertaintyMs = this.#uncertainty(a) + this.#uncertainty(b);
    return Math.max(a.serverMs, b.serverMs) + SEAL_MS + uncertaintyMs;
  }

  /** What may be one connection with it, or with its partner. Further away it is another one, in memory or parked. */
  #isWithinReach(half: Half): (slot: number) => boolean {
    const one = new Half(this.#options.records, this.#options.names, half.slot);
    return (slot) => {
      one.slot = slot;
      return apartMs(half, one) <= this.#nearMs(half, one) + RETRANSMIT_MS_MAX;
    };
  }

  #endsBeside(half: Half): readonly Half[] {
    if (half.roleNumber === FORWARDER || !this.tuples.hasOthers(half)) return NOBODY;
    return this.#neighbours(half, this.#isWithinReach(half)).filter(
      (other) => other.slot !== half.slot && other.roleNumber !== FORWARDER,
    );
  }

  /** All instances around a contended half, from forwarder to forwarder where addresses are translated. */
  #alignAround(start: Half): void {
    const halves = this.#neighbours(start, (slot) => !this.#isSealed(slot));
    for (const half of halves) clearMark(half, MARK.contended);
    this.#alignAll(halves, false);
  }

  #alignAll(halves: readonly Half[], hasAllCome: boolean): void {
    const ends = halves.filter((half) => half.roleNumber !== FORWARDER);
    const first = ends.toSorted(inOrder)[0];
    if (first === undefined) return;
    const side = sideOf(first);
    const left = inTurn(ends.filter((half) => sideOf(half) === side));
    const right = inTurn(ends.filter((half) => sideOf(half) !== side));
    this.#apply(left, right, this.#alignSides(left, right, hasAllCome));
  }

  /**
   * Where a port is used again and again, clocks that are off by as much as is allowed for would set each instance
   * against the next one: so a common shift is tried too, which explains all of them at once.
   */
  #alignSides(
    left: readonly Half[],
    right: readonly Half[],
    hasAllCome: boolean,
  ): [left: number, right: number][] {
    const skipMs = this.#skip([...left, ...right]);
    const skipsOf = (side: readonly Half[], others: readonly Half[]): number[] => {
      const toMs = hasAllCome ? Infinity : this.#completeTo(others);
      return side.map((half) => (half.serverMs + SEAL_MS < toMs ? skipMs : PAIRING_CLOSE_MS));
    };
    const [leftSkips, rightSkips] = [skipsOf(left, right), skipsOf(right, left)];
    let best: Aligned | undefined;
    for (const shiftMs of this.#shifts(left, right)) {
      const found = align({
        left: left.length,
        right: right.length,
        skipLeft: (l) => leftSkips[l] ?? skipMs,
        skipRight: (r) => rightSkips[r] ?? skipMs,
        cost: (l, r) => this.#cost(left[l], right[r], shiftMs),
      });
      const total = found.total + Math.abs(shiftMs);
      if (best === undefined || total < best.total) best = { ...found, total };
    }
    return best?.pairs ?? [];
  }

  /** Up to when nothing of these nodes can come any more, on the server's clock. */
  #completeTo(halves: readonly Half[]): number {
    let toMs = Infinity;
    for (const half of halves) {
      const { watermarkServerMs, uncertaintyMs } = this.#options.sightOf(half.nodeNumber);
      toMs = Math.min(toMs, watermarkServerMs - uncertaintyMs);
    }
    return toMs;
  }

  /** By how much the right side's clock may be ahead of the left one's; none first. */
  #shifts(left: readonly Half[], right: readonly Half[]): number[] {
    const [a, b] = [left[0], right[0]];
    if (a === undefined || b === undefined || left.length + right.length > SHIFTED_MAX) return [0];
    const mostMs = this.#uncertainty(a) + this.#uncertainty(b);
    const shifts = left.flatMap((l) => right.map((r) => Math.round(r.serverMs - l.serverMs)));
    return [0, ...shifts.filter((shiftMs) => Math.abs(shiftMs) <= mostMs)];
  }

  #neighbours(start: Half, isAsked: (slot: number) => boolean): Half[] {
    const { records, names } = this.#options;
    const found = new Map([[start.slot, start]]);
    for (const half of found.values()) {
      if (half !== start && half.roleNumber !== FORWARDER) continue;
      for (const slot of this.mates(half)) {
        if (found.has(slot) || !isAsked(slot)) continue;
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
    // After a crash an agent may open again what it had opened, and not know when it began.
    if (a.pickup || b.pickup) {
      const apart = apartMs(a, b);
      return apart <= this.#nearMs(a, b) ? apart + PAIRING_PICKUP_MS : Infinity;
    }
    let least = this.#distance(a, b, b.serverMs - a.serverMs - shiftMs);
    for (const half of [a, b]) {
      const step = this.#options.sightOf(half.nodeNumber).stepAt(half.openedMs);
      if (step === undefined) continue;
      // It may have been stamped before its clock was set, and corrected for the clock as it is since.
      const movedMs = half === a ? -step.byMs : step.byMs;
      least = Math.min(least, this.#distance(a, b, b.serverMs - a.serverMs - shiftMs + movedMs));
    }
    return least;
  }

  /** `lateMs`: by how much the second opened later. */
  #distance(a: Half, b: Half, lateMs: number): number {
    const apart = Math.abs(lateMs);
    if (apart <= PAIRING_CLOSE_MS) return apart;
    const far = PAIRING_CLOSE_MS + (apart - PAIRING_CLOSE_MS) * FAR_FACTOR;
    return Math.min(apart <= this.#nearMs(a, b) ? far : Infinity, retransmitted(a, b, lateMs));
  }

  #nearMs(a: Half, b: Half): number {
    return PAIRING_SKIP_MS + this.#uncertainty(a) + this.#uncertainty(b);
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

/**
 * The first SYN was lost, and some after it: the responder's kernel heard of it whole seconds later (Linux
 * waits for 1, 2, 4, … s, newer ones for 1 s a few times first). Infinity where that is no explanation.
 */
function retransmitted(a: Half, b: Half, lateMs: number): number {
  if (a.protocol !== TCP || a.roleNumber === b.roleNumber) return Infinity;
  const afterMs = a.roleNumber === 0 ? lateMs : -lateMs;
  const seconds = Math.round(afterMs / 1000);
  if (seconds < 1 || afterMs > RETRANSMIT_MS_MAX) return Infinity;
  const offMs = Math.abs(afterMs - seconds * 1000);
  if (offMs > PAIRING_CLOSE_MS) return Infinity;
  return RETRANSMITTED_MS + Math.log2(seconds) * RETRANSMITTED_AGAIN_MS + offMs;
}

/**
 * The instances at one end, one after the other. Its node numbers them so; whose beginning was not seen is
 * numbered late, and where a clock was set, times are out of order.
 */
function inTurn(halves: readonly Half[]): Half[] {
  const [first] = halves;
  const isOneStream = halves.every(
    (half) => !half.pickup && half.nodeNumber === first?.nodeNumber && half.epoch === first.epoch,
  );
  return halves.toSorted(isOneStream ? (a, b) => a.seq - b.seq : inOrder);
}

/** A picked-up half was open for an unknown time: only that both lived at once can be asked. */
export function apartMs(a: Half, b: Half): number {
  if (!a.pickup && !b.pickup) return Math.abs(a.serverMs - b.serverMs);
  return Math.max(0, a.serverMs - endOf(b), b.serverMs - endOf(a));
}

function endOf(half: Half): number {
  return half.closed ? half.closedServerMs : Infinity;
}
