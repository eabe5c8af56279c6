/** Trying again, later and later, at times that many machines do not share. */
import type { Clock } from "./clock.ts";

export interface BackOff {
  /** The longest wait before the second attempt. */
  readonly firstDelayMs: number;
  /** No wait is longer, inclusive. */
  readonly delayMsMax: number;
}

/**
 * How long to wait after `failures` (≥ 1) failed attempts: between half of and the whole of a bound
 * that doubles each time. Never near 0, so nobody hammers; spread, so a fleet does not march in
 * step. `random` gives numbers in [0, 1).
 */
export function backOffMs(failures: number, backOff: BackOff, random: () => number): number {
  const doublings = Math.min(failures - 1, 52);
  const boundMs = Math.min(backOff.firstDelayMs * 2 ** doublings, backOff.delayMsMax);
  return Math.round((boundMs / 2) * (1 + random()));
}

export interface RetryOptions extends BackOff {
  readonly clock: Clock;
  readonly random: () => number;
  /** Attempts in all, ≥ 1; without it, for ever. */
  readonly attemptsMax?: number;
  /** False: the error is final. By default every error may pass. */
  readonly mayPass?: (error: unknown) => boolean;
  /** Ends the waiting; rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The result of the first attempt that works; rejects with the error of the last one. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attemptsMax = Infinity, mayPass = () => true, signal } = options;
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (failures >= attemptsMax || !mayPass(error)) throw error;
      await wait(backOffMs(failures, options, options.random), options.clock, signal);
    }
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason when that comes first. */
export function wait(delayMs: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal?.reason as Error);
  if (signal?.aborted === true) stop();
  const timer = clock.after(delayMs, resolve);
  signal?.addEventListener("abort", stop, { once: true });
  return promise.finally(() => {
    timer.cancel();
    signal?.removeEventListener("abort", stop);
  });
}
