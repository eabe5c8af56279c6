/** A first-in first-out queue that is bounded by what its items weigh: bytes, entries, or one each. */
export class BoundedQueue<T> {
  readonly #weightMax: number;
  #items: { item: T; weight: number }[] = [];
  /** Items before this position were taken; the array is cut when they are the greater part. */
  #head = 0;
  #weight = 0;

  /** `weightMax` is inclusive. */
  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get weight(): number {
    return this.#weight;
  }

  /** False, and nothing done, when the item does not fit: the caller says so to whoever sent it. */
  offer(item: T, weight: number): boolean {
    if (this.#weight + weight > this.#weightMax) return false;
    this.#items.push({ item, weight });
    this.#weight += weight;
    return true;
  }

  /** The oldest items, together at most `weightMax`, but at least one while there is one. */
  take(weightMax: number): T[] {
    const taken: T[] = [];
    let takenWeight = 0;
    for (; this.#head < this.#items.length; this.#head++) {
      const next = this.#items[this.#head];
      if (next === undefined || (taken.length > 0 && takenWeight + next.weight > weightMax)) break;
      taken.push(next.item);
      takenWeight += next.weight;
    }
    this.#weight -= takenWeight;
    this.#forgetTaken();
    return taken;
  }

  #forgetTaken(): void {
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
