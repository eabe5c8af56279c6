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
 *   - where a tuple has several instances, nothing is concluded from which halves are pairs, and which
 *     stand alone, before all of them were aligned once more with all there that can come.
 *
 * Halves of forwarders pair with nobody. One that translates addresses has both tuples, and so brings
 * together two halves that have no tuple in common.
 */
import { alignSides, inTurn, type SightOf } from "./align-sides.ts";
import { inOrder } from "../half/half-order.ts";
import {
  CELL,
  FORWARDER,
  Half,
  type HalfRecords,
  type Names,
  roleAt,
  windowsOn,
} from "../half/half-records.ts";
import {
  clearMark,
  hasMark,
  MARK,
  setMark,
  setSlotMark,
  slotHasMark,
  verdictOf,
} from "../half/half-state.ts";
import { PAIRING_AT_ONCE_MS, PAIRING_SKIP_MS, RETRANSMIT_MS_MAX, SEAL_MS } from "../limits.ts";
import { apartMs, canPair, distanceMs } from "./match-cost.ts";
import { spanApartMs, spansOf } from "./span.ts";
import { TupleIndex } from "../half/tuple-index.ts";

interface MatchingOptions {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly sightOf: SightOf;
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
    if (hasOthers === undefined) return setMark(half, MARK.surplus);
    setMark(half, MARK.indexed);
    if (!hasOthers) return;
    this.tuples.mates(half, this.#mates);
    this.#markForwarded(half);
    const [only, another] = this.#rivals(half);
    if (only === undefined) return;
    if (another === undefined && this.#isAtOnce(half, only)) this.#options.paired(half, only);
    else this.contend(half);
  }

  /** Halves with which one that comes now may change the pairs: two of them, if there are so many. */
  #rivals(half: Half): Half[] {
    const rivals: Half[] = [];
    if (isBystander(half)) return rivals;
    const { records, names } = this.#options;
    for (const slot of this.#mates) {
      if (this.#isSealed(slot)) continue;
      const mate = new Half(records, names, slot);
      if (!isBystander(mate)) rivals.push(mate);
      if (rivals.length === 2) break;
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
      if (hasMark(half, MARK.indexed)) this.tuples.put(half);
    }
  }

  /** Takes up a half that came in an earlier run. */
  restore(half: Half): void {
    if (hasMark(half, MARK.surplus)) return;
    const hasOthers = this.tuples.put(half);
    setMark(half, MARK.indexed);
    if (!hasOthers) return;
    this.tuples.mates(half, this.#mates);
    this.#markForwarded(half);
  }

  /** Once all are taken up: what came since the last tick, and is to be aligned at the next. */
  restoreContended(half: Half): void {
    if (half.isPaired || half.index <= this.#options.lastTickIndex()) return;
    if (hasMark(half, MARK.surplus)) return;
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

  /** Slots of all other halves of the tuple that are compared with it; valid until the next call. */
  mates(half: Half): readonly number[] {
    if (hasMark(half, MARK.surplus)) return [];
    this.tuples.mates(half, this.#mates);
    return this.#mates;
  }

  /** Where a tuple has a forwarder, all its halves are marked so. */
  #markForwarded(half: Half): void {
    const { records } = this.#options;
    const isForwarder = (slot: number): boolean => roleAt(records, slot) === FORWARDER;
    if (half.roleNumber !== FORWARDER && !this.#mates.some(isForwarder)) return;
    for (const slot of [half.slot, ...this.#mates]) {
      setSlotMark(records, slot, MARK.forwarded);
      this.#options.accompanied(slot);
    }
  }

  /** The half that `node` has of the same connection as a forwarder that translates; it pairs with no other. */
  forwarderOf(half: Half, node: number): Half | undefined {
    if (!hasMark(half, MARK.forwarded)) return undefined;
    return windowsOn(this.#options, this.mates(half))
      .filter((mate) => mate.nodeNumber === node && mate.second !== undefined && !mate.isPaired)
      .filter((mate) => this.#isNear(half, mate) && this.isNearest(half, mate))
      .toSorted((a, b) => apartMs(half, a) - apartMs(half, b) || inOrder(a, b))[0];
  }

  /** Whether no other instance of that end is nearer to a forwarder's half: what was forwarded for another one is that one's. */
  isNearest(end: Half, forwarder: Half): boolean {
    const { records, names } = this.#options;
    const apart = apartMs(end, forwarder);
    const other = new Half(records, names, 0);
    return !this.mates(end).some((slot) => {
      other.slot = slot;
      if (other.roleNumber === FORWARDER || sideOf(other) !== sideOf(end)) return false;
      return apartMs(other, forwarder) < apart;
    });
  }

  #isNear(half: Half, forwarder: Half): boolean {
    if (half.pickup || forwarder.pickup) {
      return apartMs(half, forwarder) <= this.#nearMs(half, forwarder);
    }
    const lateMs = forwarder.serverMs - half.serverMs;
    return distanceMs(half, forwarder, lateMs, this.#nearMs(half, forwarder)) < Infinity;
  }

  /** Whether it, or another half of its tuple, is to be aligned at the next tick. */
  isContended(half: Half): boolean {
    const { records } = this.#options;
    if (hasMark(half, MARK.contended)) return true;
    if (hasMark(half, MARK.surplus) || !this.tuples.hasOthers(half)) return false;
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
    // How near a picked-up half is depends on its end, which may have come or not.
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
    const { sealedToMs, uncertaintyMs } = sightOf(half);
    return half.openedMs + SEAL_MS + uncertaintyMs < sealedToMs;
  }

  /**
   * Aligns all instances of the tuples of `halves`, which are in order, once more before anything is concluded from
   * their partners, or from their having none: by now all that can come has come. Those of one tuple that are near
   * each other are done together, so that many cost no more than one.
   */
  realign(halves: readonly Half[]): void {
    const open = new Map(halves.map((half) => [half.slot, half]));
    for (const half of halves) {
      if (!open.has(half.slot)) continue;
      const together = this.#together(half, open);
      for (const { slot } of together) open.delete(slot);
      this.#realignAround(half, together);
    }
  }

  /** It, and those of its tuple that are still to be done and began so near it that all between them is within its reach. */
  #together(half: Half, open: ReadonlyMap<number, Half>): Half[] {
    const together = [half];
    for (const slot of this.mates(half)) {
      const mate = open.get(slot);
      if (mate === undefined || mate.roleNumber === FORWARDER) continue;
      if (Math.abs(mate.serverMs - half.serverMs) <= RETRANSMIT_MS_MAX) together.push(mate);
    }
    return together;
  }

  #realignAround(start: Half, together: readonly Half[]): void {
    const halves = this.#neighbours(start, this.#isWithinReach(together));
    const slots = new Set(halves.map(({ slot }) => slot));
    // A half with a partner further away than that keeps it.
    const partners = halves.flatMap(({ isPaired, partner }) =>
      isPaired && !slots.has(partner) ? [partner] : [],
    );
    this.#alignAll([...halves, ...windowsOn(this.#options, partners)], true);
  }

  /** Whether its tuple has other ends, on either side of a translation. */
  hasRivals(half: Half): boolean {
    return this.#hasEndBeside(half, half.slot);
  }

  /** Until when another instance may come that fits one of the two better, on the server's clock; undefined where the tuple has no other. */
  contestedUntil(a: Half, b: Half): number | undefined {
    // Nearly always so, and found without the lists that follow.
    if (b.roleNumber !== FORWARDER && this.tuples.areAlone(a, b)) return undefined;
    if (!this.#hasEndBeside(a, b.slot)) return undefined;
    const uncertaintyMs = this.#uncertainty(a) + this.#uncertainty(b);
    return Math.max(a.serverMs, b.serverMs) + SEAL_MS + uncertaintyMs;
  }

  /** Which halves may be one connection with one of these, or with its partner. What is further away is another one, in memory or parked. */
  #isWithinReach(halves: readonly Half[]): (slot: number) => boolean {
    const spans = spansOf(halves);
    const one = new Half(this.#options.records, this.#options.names, 0);
    return (slot) => {
      one.slot = slot;
      return spans.some(
        (span) => spanApartMs(span, one) <= this.#nearMs(span.half, one) + RETRANSMIT_MS_MAX,
      );
    };
  }

  /** Whether another end than itself and that in `besides` is within its reach. */
  #hasEndBeside(half: Half, besides: number): boolean {
    if (half.roleNumber === FORWARDER || hasMark(half, MARK.surplus)) return false;
    if (!this.tuples.hasOthers(half)) return false;
    const isNear = this.#isWithinReach([half]);
    const { records, names } = this.#options;
    const isOther = (slot: number): boolean => slot !== half.slot && slot !== besides;
    const isEnd = (slot: number): boolean => roleAt(records, slot) !== FORWARDER;
    // One is enough; behind a translation all are gone through.
    if (this.mates(half).some((slot) => isOther(slot) && isEnd(slot) && isNear(slot))) return true;
    if (!hasMark(half, MARK.forwarded)) return false;
    const around = this.#neighbours(new Half(records, names, half.slot), isNear);
    return around.some(({ slot }) => isOther(slot) && isEnd(slot));
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
    const { sightOf } = this.#options;
    this.#apply(left, right, alignSides(left, right, { sightOf, hasAllCome }));
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

  #nearMs(a: Half, b: Half): number {
    return PAIRING_SKIP_MS + this.#uncertainty(a) + this.#uncertainty(b);
  }

  #uncertainty(half: Half): number {
    return this.#options.sightOf(half).uncertaintyMs;
  }

  #apply(left: readonly Half[], right: readonly Half[], pairs: readonly [number, number][]): void {
    const { paired, parted, records, names } = this.#options;
    const wanted = new Map(pairs.map(([l, r]) => [left[l]?.slot ?? -1, right[r]?.slot ?? -1]));
    for (const half of left) {
      const own = wanted.get(half.slot);
      if (!half.isPaired || own === half.partner) continue;
      // A forwarder that stands for its other end does so until that end comes.
      if (own === undefined && roleAt(records, half.partner) === FORWARDER) continue;
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

/** The end at which a half was recorded, by its own address: where addresses are translated, that of the peer may be another's. */
function sideOf(half: Half): number {
  return half.ownIpNumber;
}
