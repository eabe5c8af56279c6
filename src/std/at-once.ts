/** So many of something run at once; the others wait for their turn, in their order. */
export class AtOnce {
  readonly #runningMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  /** How many wait for their turn: whoever asks is to send more away, where their number has no other bound. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** As `work` ends. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#runningMax) this.#running++;
    // Whoever ends gives its place away: it is never free in between.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
