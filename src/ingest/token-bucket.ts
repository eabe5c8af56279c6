/** A share of something per second, with a burst. Time is passed in. */
export class TokenBucket {
  readonly #perS: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** `nowMs` is monotonic. Starts full. */
  constructor(perS: number, burst: number, nowMs: number) {
    this.#perS = perS;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** 0 when the amount is there; else the milliseconds until it will be. Takes nothing. */
  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    // More than a burst never fits at once: it passes when the bucket is full, and leaves a debt.
    const missing = Math.min(amount, this.#burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing / this.#perS) * 1000);
  }

  /** Only after `waitMs` was 0. */
  take(amount: number): void {
    this.#tokens -= amount;
  }

  #refill(nowMs: number): void {
    const gained = ((nowMs - this.#atMs) / 1000) * this.#perS;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = nowMs;
  }
}
