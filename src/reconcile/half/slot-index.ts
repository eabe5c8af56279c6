/**
 * Finds records by the hash of what they are looked up by: open addressing in one typed array, because
 * a Map of millions of keys costs more memory, and more of the processor's time, than the records.
 * Several slots may have one hash; the caller knows which one it means.
 */

/** Two words per place: the hash, and the slot plus one; zero is an empty place. */
const WORDS = 2;
const PLACES_MIN = 1024;

export class SlotIndex {
  #table = new Int32Array(PLACES_MIN * WORDS);
  #mask = PLACES_MIN - 1;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Returns how many others are under the same hash; they stand before the place that it takes. */
  add(hash: number, slot: number): number {
    // At most half full: beyond that, probing gets long.
    if (this.#count * 2 >= this.#mask) this.#grow();
    this.#count++;
    return this.#put(hash, slot);
  }

  /** The first slot under `hash`, as a place for `slotAt` and `next`; -1 when there is none. */
  first(hash: number): number {
    return this.#seek(hash & this.#mask, hash);
  }

  next(place: number, hash: number): number {
    return this.#seek((place + 1) & this.#mask, hash);
  }

  slotAt(place: number): number {
    return (this.#table[place * WORDS + 1] ?? 0) - 1;
  }

  /** Another slot in the place of the one that is there, under the same hash. */
  replace(place: number, slot: number): void {
    this.#table[place * WORDS + 1] = slot + 1;
  }

  remove(hash: number, slot: number): void {
    for (let place = this.first(hash); place !== -1; place = this.next(place, hash)) {
      if (this.slotAt(place) === slot) return this.#close(place);
    }
  }

  #seek(from: number, hash: number): number {
    const table = this.#table;
    const mask = this.#mask;
    for (let place = from; ; place = (place + 1) & mask) {
      const at = place << 1;
      if (table[at + 1] === 0) return -1;
      if (table[at] === hash) return place;
    }
  }

  #put(hash: number, slot: number): number {
    const table = this.#table;
    let others = 0;
    let at = (hash & this.#mask) * WORDS;
    while (table[at + 1] !== 0) {
      if (table[at] === hash) others++;
      at = (at + WORDS) & (table.length - 1);
    }
    table[at] = hash;
    table[at + 1] = slot + 1;
    return others;
  }

  /** Moves back what was put further on because this place was taken, so that no mark is left behind. */
  #close(hole: number): void {
    const table = this.#table;
    let to = hole;
    for (
      let at = (hole + 1) & this.#mask;
      table[at * WORDS + 1] !== 0;
      at = (at + 1) & this.#mask
    ) {
      const home = (table[at * WORDS] ?? 0) & this.#mask;
      const isBetween = to <= at ? to < home && home <= at : to < home || home <= at;
      if (isBetween) continue;
      table[to * WORDS] = table[at * WORDS] ?? 0;
      table[to * WORDS + 1] = table[at * WORDS + 1] ?? 0;
      to = at;
    }
    table[to * WORDS] = 0;
    table[to * WORDS + 1] = 0;
    this.#count--;
  }

  #grow(): void {
    const old = this.#table;
    const places = (this.#mask + 1) * 2;
    this.#table = new Int32Array(places * WORDS);
    this.#mask = places - 1;
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 1] !== 0) this.#put(old[at] ?? 0, (old[at + 1] ?? 0) - 1);
    }
  }
}

/** Spreads a 32-bit number over all its bits (the finaliser of MurmurHash3). */
export function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return bits ^ (bits >>> 16);
}
