/**
 * Where records are in the segments, sparsely: one mark per MARK_EVERY_BYTES, made while reading.
 * Bounded: the segment that was used longest ago is forgotten and will be marked again.
 */
import { MARK_EVERY_BYTES, MARKED_SEGMENTS_MAX } from "./limits.ts";
import type { ScanPlace } from "./scan.ts";

export class SegmentMarks {
  /** Marks of each segment, ascending; the map is in the order of last use. */
  readonly #marks = new Map<number, ScanPlace[]>();
  readonly #segmentsMax: number;

  constructor(segmentsMax = MARKED_SEGMENTS_MAX) {
    this.#segmentsMax = segmentsMax;
  }

  /** The last mark at or before `index`; undefined when there is none. */
  nearest(firstIndex: number, index: number): ScanPlace | undefined {
    const marks = this.#use(firstIndex);
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle]?.index ?? Infinity) <= index) low = middle + 1;
      else high = middle;
    }
    return marks[low - 1];
  }

  /** Keeps the place if it is far enough from the last one of its segment. */
  add(firstIndex: number, place: ScanPlace): void {
    const marks = this.#use(firstIndex);
    const last = marks.at(-1);
    if (last === undefined || place.offset >= last.offset + MARK_EVERY_BYTES) marks.push(place);
  }

  #use(firstIndex: number): ScanPlace[] {
    const marks = this.#marks.get(firstIndex) ?? [];
    this.#marks.delete(firstIndex);
    this.#marks.set(firstIndex, marks);
    if (this.#marks.size > this.#segmentsMax) {
      const [oldest] = this.#marks.keys();
      if (oldest !== undefined) this.#marks.delete(oldest);
    }
    return marks;
  }
}
