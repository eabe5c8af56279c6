/**
 * How far the journal is durable, for those who follow it. The writer publishes after each group.
 * A worker or another process has one of its own, and whoever starts it passes the numbers on as
 * messages: each is true for ever, so they may come late, twice or with some left out.
 */
export class DurableEnd {
  #index: number;
  readonly #listeners = new Set<(endIndex: number) => void>();

  constructor(endIndex = 0) {
    this.#index = endIndex;
  }

  /** Records before this index are durable, exclusive. */
  get index(): number {
    return this.#index;
  }

  /** Tells the listeners; a number that is not new is ignored. */
  publish(endIndex: number): void {
    if (endIndex <= this.#index) return;
    this.#index = endIndex;
    for (const listener of this.#listeners) listener(endIndex);
  }

  /**
   * Calls after each group, in the writer's own turn: be short, do not throw. Returns what ends it.
   */
  onCommit(listener: (endIndex: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when record `index` is durable; rejects with the signal's reason when that comes first. */
  waitFor(index: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (index < this.#index) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const forget = this.onCommit((endIndex) => {
      if (index < endIndex) resolve();
    });
    const stop = () => reject(signal?.reason as Error);
    signal?.addEventListener("abort", stop, { once: true });
    return promise.finally(() => {
      forget();
      signal?.removeEventListener("abort", stop);
    });
  }
}
