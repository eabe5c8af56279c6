/**
 * Who may run how much at once. One process, many connections: the engine runs queries of different connections truly in parallel on
 * libuv's pool, so what has to be kept apart is pool threads and processor time.
 *
 * Measured on 2 cores, 20,000-row Native inserts beside three endless GROUP BYs, median insert: alone 8–20 ms; beside
 * them 30–40 ms, likewise with max_threads=1; beside them with os_thread_priority 10–19 on the queries 10–20 ms, which is as good as alone.
 * With a pool of 4 threads and five queries, on the other hand, an insert waits until a query ends. Hence a lane for
 * each kind, all lanes together smaller than the pool (file and zlib work needs threads too), and nice threads for reading.
 */
import { FaultError } from "./engine-fault.ts";

export type LaneName = "insert" | "query" | "guest" | "control";

/** The pool's size is set by the parent in the environment, before the child's first asynchronous call. */
export const poolThreads = 16;

const widths: Readonly<Record<LaneName, number>> = { insert: 4, query: 4, guest: 2, control: 1 };
const waitingMax = 1_000;

/** Niceness of the engine's threads a lane; the engine applies it where the process may (CAP_SYS_NICE), else ignores it. */
export const laneNiceness: Readonly<Record<LaneName, number>> = {
  insert: 10,
  query: 15,
  guest: 19,
  control: 10,
};

export class Lane {
  readonly #width: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(name: LaneName) {
    this.#width = widths[name];
  }

  /** Runs `work` when a place is free, in order of arrival. Rejects when 1,000 wait already; a job whose signal fired meanwhile gives its place up unused. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) await this.#wait();
    else this.#running += 1;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #wait(): Promise<void> {
    if (this.#waiting.length >= waitingMax)
      throw new FaultError(
        202,
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        "Too many queries wait for the engine",
      );
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Hands the place on, so that `#running` never dips while someone waits. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

export function openLanes(): Readonly<Record<LaneName, Lane>> {
  return {
    insert: new Lane("insert"),
    query: new Lane("query"),
    guest: new Lane("guest"),
    control: new Lane("control"),
  };
}
