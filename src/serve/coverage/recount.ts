/**
 * A result that costs something to make: made anew when somebody asks, one at a time, and then used
 * again for ten times as long as it took. So it is fresh where little is stored, and where much is
 * it takes no more than a tenth of the time, however often it is asked for. After five minutes it
 * is made anew all the same: it may have taken long only because the machine was busy.
 */
import type { Clock } from "../../std/clock.ts";

export interface RecountOptions<T> {
  readonly clock: Pick<Clock, "monotonicMs" | "after">;
  readonly make: () => Promise<T>;
  /** Whoever asks waits no longer than this, and gets the result before. */
  readonly waitMs: number;
}

const REUSE_FACTOR = 10;
const REUSE_MS_MAX = 300_000;

export class Recount<T> {
  readonly #options: RecountOptions<T>;
  #last: { readonly value: T; readonly endedMs: number; readonly tookMs: number } | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RecountOptions<T>) {
    this.#options = options;
  }

  /** The newest result that can be had in time; undefined when there is none yet. Rejects as `make` did. */
  async get(): Promise<T | undefined> {
    if (this.#isFresh()) return this.#last?.value;
    this.#running ??= this.#make();
    await this.#inTime(this.#running);
    return this.#last?.value;
  }

  #isFresh(): boolean {
    if (this.#last === undefined) return false;
    const { endedMs, tookMs } = this.#last;
    const reuseMs = Math.min(tookMs * REUSE_FACTOR, REUSE_MS_MAX);
    return this.#options.clock.monotonicMs() - endedMs < reuseMs;
  }

  async #make(): Promise<void> {
    const { clock, make } = this.#options;
    const begunMs = clock.monotonicMs();
    try {
      const value = await make();
      const endedMs = clock.monotonicMs();
      this.#last = { value, endedMs, tookMs: endedMs - begunMs };
    } finally {
      this.#running = undefined;
    }
  }

  async #inTime(running: Promise<void>): Promise<void> {
    // Whoever stopped waiting hears of no failure; the next one who asks tries again.
    running.catch(() => undefined);
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(this.#options.waitMs, late.resolve);
    try {
      await Promise.race([running, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
