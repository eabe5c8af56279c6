/**
 * Time, passed in. Whatever asks for the time or waits takes a `Clock`, so that tests decide both.
 */
export interface Clock {
  /** Unix milliseconds, an integer; may jump when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Calls once after at least `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, call: () => void): Timer;
}

export interface Timer {
  /** The call will not happen; harmless after it did. */
  cancel(): void;
}

/** The machine's clock. `offsetMs` shifts `nowMs`: a machine whose clock is wrong, for tests and the demo. */
export function systemClock(offsetMs = 0): Clock {
  return {
    nowMs: () => Date.now() + offsetMs,
    monotonicMs: () => performance.now(),
    after(delayMs, call) {
      const timer = setTimeout(call, delayMs);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** A clock that stands still until told: `advance` runs the timers that come due, in order. */
export class ManualClock implements Clock {
  #nowMs: number;
  #timers: { dueMs: number; call: () => void }[] = [];

  constructor(startMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = next.dueMs;
      next.call();
    }
    this.#nowMs = endMs;
  }
}
