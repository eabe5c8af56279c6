/**
 * What is due when: a ring of buckets of 20 ms, each a list that runs through the halves. What is
 * further ahead than the ring reaches waits in its last bucket and is put in again from there.
 */
import type { HalfPool } from "./half-pool.ts";

/** Events of one bucket happen in the order in which they were planned. */
export const BUCKET_MS = 20;
const BUCKETS = 1 << 16;

export class Calendar {
  readonly #pool: HalfPool;
  readonly #first = new Int32Array(BUCKETS).fill(-1);
  readonly #last = new Int32Array(BUCKETS).fill(-1);
  /** The bucket that is being worked on. */
  #now = 0;

  constructor(pool: HalfPool) {
    this.#pool = pool;
  }

  plan(half: number, event: number, dueMs: number): void {
    const pool = this.#pool;
    pool.event[half] = event;
    pool.dueMs[half] = dueMs;
    const wanted = Math.floor(dueMs / BUCKET_MS);
    const bucket = Math.min(Math.max(wanted, this.#now), this.#now + BUCKETS - 1) % BUCKETS;
    const last = this.#last[bucket] as number;
    pool.next[half] = -1;
    if (last === -1) this.#first[bucket] = half;
    else pool.next[last] = half;
    this.#last[bucket] = half;
  }

  /** Hands out what is due in the present bucket, what comes to it meanwhile too, and moves on. */
  run(happen: (half: number, event: number) => void): void {
    const pool = this.#pool;
    const bucket = this.#now % BUCKETS;
    for (let half = this.#first[bucket] as number; half !== -1;) {
      const next = pool.next[half] as number;
      this.#first[bucket] = next;
      if (next === -1) this.#last[bucket] = -1;
      const isDue = (pool.dueMs[half] as number) < (this.#now + 1) * BUCKET_MS;
      // From the last bucket of the ring: the ring has turned, so it goes further ahead.
      if (isDue) happen(half, pool.event[half] as number);
      else this.plan(half, pool.event[half] as number, pool.dueMs[half] as number);
      half = this.#first[bucket];
    }
    this.#now++;
  }
}
