/**
 * Halves that wait until a node's stream has passed some time. They are kept by the node they wait
 * for and by the second, and touched only when that node's stream moves: what waits for a node that
 * is away costs nothing meanwhile.
 */

/** Slot and generation, one after the other. */
type Bucket = number[];

interface Queue {
  readonly buckets: Map<number, Bucket>;
  /** The least second in `buckets`; Infinity when there is none. */
  leastS: number;
}

export class Waiting {
  readonly #queues: (Queue | undefined)[] = [];
  #count = 0;

  /** Plans, also those whose halves are forgotten by now. */
  get count(): number {
    return this.#count;
  }

  /** Wakes `slot` once the node's stream has passed `atMs` on the server's clock. */
  plan(node: number, atMs: number, slot: number, generation: number): void {
    let queue = this.#queues[node];
    if (queue === undefined) {
      queue = { buckets: new Map(), leastS: Infinity };
      this.#queues[node] = queue;
    }
    const second = Math.floor(atMs / 1000);
    const bucket = queue.buckets.get(second);
    if (bucket === undefined) queue.buckets.set(second, [slot, generation]);
    else bucket.push(slot, generation);
    if (second < queue.leastS) queue.leastS = second;
    this.#count++;
  }

  /** Takes out what waited for a time before `untilMs` of this node. */
  due(node: number, untilMs: number, each: (slot: number, generation: number) => void): void {
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
    queue.leastS = Math.min(Infinity, ...queue.buckets.keys());
  }
}
