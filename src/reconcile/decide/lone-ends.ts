/**
 * Halves that stand alone, by the responder's end: where to look for what a responder saw of an
 * initiator that somebody between the two gave another address. A half is listed when it is first
 * looked at alone, and dropped when its end is asked for and it no longer is alone: so the cost follows
 * what is new, not what is open.
 */
import { CELL, FORWARDER, type Half, type HalfRecords } from "../half/half-records.ts";
import {
  clearMark,
  clearSlotMark,
  hasMark,
  MARK,
  setMark,
  slotHasMark,
} from "../half/half-state.ts";

/** Slot and generation, one after the other. */
type Places = number[];

/** So many may be out of date before all are gone through. */
const STALE_MIN = 1_024;

export class LoneEnds {
  readonly #records: HalfRecords;
  /** By role. */
  readonly #ends: readonly [Map<number, Places>, Map<number, Places>] = [new Map(), new Map()];
  #count = 0;

  constructor(records: HalfRecords) {
    this.#records = records;
  }

  /** Halves that are listed, those included that are gone or have a partner by now. */
  get count(): number {
    return this.#count;
  }

  /** A half stands alone. */
  note(half: Half): void {
    if (half.roleNumber === FORWARDER || hasMark(half, MARK.listed)) return;
    setMark(half, MARK.listed);
    const ends = this.#ends[half.roleNumber === 0 ? 0 : 1];
    const key = endKey(half);
    const places = ends.get(key);
    const generation = half.records.cell(half.slot, CELL.generation);
    if (places === undefined) ends.set(key, [half.slot, generation]);
    else places.push(half.slot, generation);
    this.#count++;
  }

  /** Slots of the halves of `role` that stand alone at the responder's end of `half`, and of those that are `kept`. */
  at(half: Half, role: 0 | 1, kept: ReadonlySet<number>): readonly number[] {
    const ends = this.#ends[role];
    const key = endKey(half);
    const places = ends.get(key);
    if (places === undefined) return [];
    const left = this.#sifted(places, kept);
    if (left.length === 0) ends.delete(key);
    else if (left.length < places.length) ends.set(key, left);
    return left.filter((_, at) => at % 2 === 0);
  }

  /** At each tick: once more are listed than twice the halves in memory, those that are out of date go. */
  tidy(): void {
    if (this.#count < STALE_MIN + 2 * this.#records.count) return;
    for (const ends of this.#ends) {
      for (const [key, places] of ends) {
        const left = this.#sifted(places, new Set());
        if (left.length === 0) ends.delete(key);
        else ends.set(key, left);
      }
    }
  }

  /** Addresses have other numbers now. `half` is moved over all records. */
  reindex(half: Half): void {
    for (const ends of this.#ends) ends.clear();
    this.#count = 0;
    for (half.slot = 0; half.slot < this.#records.end; half.slot++) {
      if (!hasMark(half, MARK.listed)) continue;
      clearMark(half, MARK.listed);
      if (isLone(this.#records, half.slot)) this.note(half);
    }
  }

  #sifted(places: Places, kept: ReadonlySet<number>): Places {
    const records = this.#records;
    const left: Places = [];
    for (let at = 0; at < places.length; at += 2) {
      const [slot = 0, generation = 0] = [places[at], places[at + 1]];
      const isSame = records.cell(slot, CELL.generation) === generation;
      if (isSame && (isLone(records, slot) || kept.has(slot))) left.push(slot, generation);
      // Parted again, it is listed anew.
      else if (isSame) clearSlotMark(records, slot, MARK.listed);
    }
    this.#count -= (places.length - left.length) / 2;
    return left;
  }
}

function isLone(records: HalfRecords, slot: number): boolean {
  if (records.cell(slot, CELL.partner) !== 0) return false;
  return slotHasMark(records, slot, MARK.live) && !slotHasMark(records, slot, MARK.settled);
}

/** Protocol, address and port; below 2^53. */
function endKey(half: Half): number {
  return (half.responderIpNumber * 65_536 + half.responderPort) * 256 + half.protocol;
}
