/** How long to wait before something that failed is started again: twice as long each time, anew after it went well. */

const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
/** What ran for so long did not fail because of its start. */
const HEALTHY_MS = 60_000;

export class RestartPause {
  #pauseMs = PAUSE_MIN_MS;
  #startedMs = 0;

  /** It is being started. Times are monotonic. */
  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** It failed: how long to wait now. */
  failed(nowMs: number): number {
    const pauseMs = nowMs - this.#startedMs >= HEALTHY_MS ? PAUSE_MIN_MS : this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
    return pauseMs;
  }
}
