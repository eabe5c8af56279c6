/**
 * The comparison as the admission sees it: a thread that is given what was admitted, a tick of the
 * server at a time. Its conclusions are handed out a fixed number of ticks later, whenever they come: so
 * what the journal holds is the same however fast the two are, and neither gets far ahead of the other.
 */
import { Worker } from "node:worker_threads";
import type { JournalRecord } from "../../src/ingest/journal-port.ts";
import type { Compared, CompareOrders, Concluded, FromComparer, ToComparer } from "./compare.ts";

/** Ticks by which the comparison may be behind: enough to even out busy ones, some ten MB of batches. */
const BEHIND_TICKS = 8;
const BYTES_MIN = 65_536;

export class Comparison {
  readonly #worker: Worker;
  /** Of the ticks whose conclusions were not asked for yet, the earliest first. */
  readonly #answers: PromiseWithResolvers<FromComparer>[] = [];
  /** How many of them have come. */
  #come = 0;
  #error: unknown;
  #bytes = new Uint8Array(BYTES_MIN);
  #filled = 0;
  #lengths: number[] = [];
  #indices: number[] = [];
  #receivedMs: number[] = [];

  constructor(orders: CompareOrders) {
    this.#worker = new Worker(new URL("./compare.ts", import.meta.url), { workerData: orders });
    this.#worker.on("message", (answer: FromComparer) =>
      this.#answers[this.#come++]?.resolve(answer),
    );
    this.#worker.on("error", (error) => {
      this.#error = error;
      for (const answer of this.#answers) answer.reject(error);
    });
  }

  /** The journal's records in their order. */
  take({ type, index, receivedMs, frame }: JournalRecord): void {
    if (type !== "batch") return;
    this.#makeRoom(frame.length);
    this.#bytes.set(frame, this.#filled);
    this.#filled += frame.length;
    this.#lengths.push(frame.length);
    this.#indices.push(index);
    this.#receivedMs.push(receivedMs);
  }

  /** The server ticked. Resolves with what was concluded up to a tick that is a fixed number of ticks ago. */
  async tick(): Promise<readonly Concluded[]> {
    this.#send(false);
    return this.#answers.length > BEHIND_TICKS ? this.#next() : [];
  }

  /** No ticks follow. Resolves with what was not handed out so far. */
  async drain(): Promise<readonly Concluded[]> {
    const concluded: Concluded[] = [];
    while (this.#answers.length > 0) concluded.push(...(await this.#next()));
    return concluded;
  }

  /** No records follow, and all else was handed out. */
  async end(): Promise<Compared & Pick<FromComparer, "concluded">> {
    this.#send(true);
    const { concluded, result } = await this.#answer();
    if (result === undefined) throw new Error("the comparison did not end with its last records");
    return { ...result, concluded };
  }

  /** Ends the thread, whatever it is at. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  async #next(): Promise<readonly Concluded[]> {
    return (await this.#answer()).concluded;
  }

  async #answer(): Promise<FromComparer> {
    const answer = await this.#answers[0]?.promise;
    if (answer === undefined) throw new Error("the comparison was asked before it was told");
    this.#answers.shift();
    this.#come--;
    return answer;
  }

  #send(isLast: boolean): void {
    const bytes = this.#bytes.subarray(0, this.#filled);
    const message: ToComparer = {
      bytes,
      lengths: this.#lengths,
      indices: this.#indices,
      receivedMs: this.#receivedMs,
      isLast,
    };
    const answer = Promise.withResolvers<FromComparer>();
    // Who asks for it is told; nobody may ask.
    answer.promise.catch(() => undefined);
    if (this.#error !== undefined) answer.reject(this.#error);
    this.#answers.push(answer);
    this.#worker.postMessage(message, [bytes.buffer]);
    this.#bytes = new Uint8Array(BYTES_MIN);
    this.#filled = 0;
    this.#lengths = [];
    this.#indices = [];
    this.#receivedMs = [];
  }

  #makeRoom(more: number): void {
    if (this.#filled + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#filled + more));
    larger.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = larger;
  }
}
