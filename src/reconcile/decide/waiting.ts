/**
 * Halves that wait until a node's stream has passed some time. They are kept by the node they wait
 * for and by the second, and touched only when that node's stream moves: what waits for a node that
 * is away costs nothing meanwhile.
 */

/** Slot and the number that its plans have while they count, one after the other. */
type Bucket = number[];

/** `atMs`: the time that is waited for, to the second. */
export type IsGone = (slot: number, plans: number, atMs: number) => boolean;

interface Queue {
  readonly buckets: Map<number, Bucket>;
  /** The least second in `buckets`; Infinity when there is none. */
  leastS: number;
}

export class Waiting {
  readonly #queues: (Queue | undefined)[] = [];
  #count = 0;

  /** Plans, also those that count no more. */
  get count(): number {
    return this.#count;
  }

  /** Wakes `slot` once the node's stream has passed `atMs` on the server's clock. */
  plan(node: number, atMs: number, slot: number, plans: number): void {
    let queue = this.#queues[node];
    if (queue === undefined) {
      queue = { buckets: new Map(), leastS: Infinity };
      this.#queues[node] = queue;
    }
    const second = Math.floor(atMs / 1000);
    const bucket = queue.buckets.get(second);
    if (bucket === undefined) queue.buckets.set(second, [slot, plans]);
    else bucket.push(slot, plans);
    if (second < queue.leastS) queue.leastS = second;
    this.#count++;
  }

  /** Drops each plan for which `isGone` returns true, and the memory that it took. */
  sift(isGone: IsGone): void {
    for (const queue of this.#queues) {
      if (queue === undefined) continue;
      for (const [second, bucket] of queue.buckets) {
        const kept: Bucket = [];
        for (let at = 0; at < bucket.length; at += 2) {
          const [slot = 0, plans = 0] = [bucket[at], bucket[at + 1]];
          if (!isGone(slot, plans, second * 1000)) kept.push(slot, plans);
        }
        if (kept.length === bucket.length) continue;
        this.#count -= (bucket.length - kept.length) / 2;
        if (kept.length === 0) queue.buckets.delete(second);
        else queue.buckets.set(second, kept);
      }
      queue.leastS = leastOf(queue.buckets);
    }
  }

  /** Takes out what waited for a time before `untilMs` of this node. */
  due(node: number, untilMs: number, each: (slot: number, plans: number) => void): void {
    const queue = this.#queues[node];
    const endS = Math.floor(untilMs / 1000);
    if (queue === undefined || queue.leastS >= endS) return;
    const seconds = [...queue.buckets.keys()].filter((second) => second < endS);
    for (const second of seconds.toSorted((a, b) => a - b)) {
      const bucket = queue.buckets.get(second) ?? [];
      queue.buckets.delete(second);
      this.#count -= bucket.length / 2;
      for (let at = 0; at < bucket.length; at += 2) each(bucket[at] ?? 0, bucket[at + 1] ?? 0);
    }
    queue.leastS = leastOf(queue.buckets);
  }
}

function leastOf(buckets: ReadonlyMap<number, Bucket>): number {
  let leastS = Infinity;
  for (const second of buckets.keys()) leastS = Math.min(leastS, second);
  return leastS;
}
