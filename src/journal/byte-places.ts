/** How many bytes of the journal stand behind a record, about: from places along the way, in between as if all were alike. */

interface BytePlace {
  readonly index: number;
  /** Of all records before it. */
  readonly bytes: number;
}

/** One place per so many bytes, and at most so many places: what is older is one stretch. */
const EVERY_BYTES = 1024 * 1024;
const PLACES_MAX = 4_096;

export class BytePlaces {
  /** Ascending; the first and the last always stand. */
  #places: BytePlace[];
  #end: BytePlace;

  /** `segments`: the first index and the length of each, in order. */
  constructor(
    segments: readonly { readonly firstIndex: number; readonly bytes: number }[],
    endIndex: number,
  ) {
    let bytes = 0;
    this.#places = segments.map((segment) => {
      const place = { index: segment.firstIndex, bytes };
      bytes += segment.bytes;
      return place;
    });
    this.#end = { index: endIndex, bytes };
  }

  /** Records up to `endIndex`, exclusive, were added. */
  add(endIndex: number, bytes: number): void {
    const last = this.#places.at(-1);
    if (last === undefined || this.#end.bytes - last.bytes >= EVERY_BYTES) {
      this.#places.push(this.#end);
      if (this.#places.length > PLACES_MAX)
        this.#places = this.#places.filter((_, at) => at % 2 === 0);
    }
    this.#end = { index: endIndex, bytes: this.#end.bytes + bytes };
  }

  /** Of the records from `index` on. */
  from(index: number): number {
    if (index >= this.#end.index) return 0;
    const at = this.#places.findLastIndex((place) => place.index <= index);
    const before = this.#places[at] ?? { index: 0, bytes: 0 };
    const next = this.#places[at + 1] ?? this.#end;
    const share = (index - before.index) / Math.max(1, next.index - before.index);
    return Math.round(this.#end.bytes - before.bytes - share * (next.bytes - before.bytes));
  }
}
