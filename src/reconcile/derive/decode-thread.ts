/**
 * Decodes in a thread of its own: the next batches of a range while one is compared. At most `AHEAD`
 * batches are on their way or wait, and the memory that they come in goes round.
 */
import { Worker } from "node:worker_threads";
import type { AddressTable } from "../../format/address-table.ts";
import type { Batch } from "../../format/batch.ts";
import { ENTRY_WORDS, EntryBlock, KIND, kindOfHead, WORD } from "../../format/entry-block.ts";
import type { FromDecode, ToDecode } from "./decode-messages.ts";
import type { DecodedBatch, Decoder } from "./decode.ts";

/** Batches that are decoded before they are needed: one is enough while all are of a size, and some are not. */
const AHEAD = 4;

export class DecodeThread implements Decoder {
  readonly worker = new Worker(new URL("./decode-worker.ts", import.meta.url));
  readonly #answers: Promise<FromDecode>[] = [];
  /** Of those that were asked for and not answered, the first one's first. */
  readonly #open: PromiseWithResolvers<FromDecode>[] = [];
  readonly #spares: ArrayBuffer[] = [];
  readonly #block = new EntryBlock(0);
  /** By the thread's number. */
  #texts: string[] = [];
  /** The comparison's number by the thread's, where it was asked for already. */
  #numbers: number[] = [];
  #failure: Error | undefined;

  constructor() {
    this.worker.on("message", (answer: FromDecode) => this.#open.shift()?.resolve(answer));
    this.worker.on("error", (error: Error) => this.#fail(error));
    this.worker.on("exit", () => this.#fail(new Error("the decoding thread ended")));
  }

  async *decode(
    batches: readonly Batch[],
    addresses: AddressTable,
  ): AsyncGenerator<DecodedBatch, void, void> {
    // Since the last range they may have been numbered anew.
    this.#numbers = [];
    // What an earlier range was left with, when its reader stopped.
    while (this.#answers.length > 0) this.#take(await this.#answers.shift(), addresses);
    let asked = 0;
    for (let taken = 0; taken < batches.length; taken++) {
      while (asked < Math.min(taken + AHEAD, batches.length)) this.#ask(batches[asked++]);
      yield this.#take(await this.#answers.shift(), addresses);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate();
  }

  #ask(batch: Batch | undefined): void {
    if (batch === undefined) return;
    const { rawBytes, seqFirst, entryCount } = batch.header;
    const answer = Promise.withResolvers<FromDecode>();
    // Looked at when its turn comes; until then it must not count as unhandled.
    answer.promise.catch(() => undefined);
    this.#answers.push(answer.promise);
    if (this.#failure !== undefined) return answer.reject(this.#failure);
    this.#open.push(answer);
    const spare = this.#spares.pop();
    const question: ToDecode = {
      header: { rawBytes, seqFirst, entryCount },
      payload: batch.payload,
      ...(spare === undefined ? undefined : { spare }),
    };
    this.worker.postMessage(question, spare === undefined ? [] : [spare]);
  }

  #take(answer: FromDecode | undefined, addresses: AddressTable): DecodedBatch {
    if (answer === undefined) throw new Error("nothing was asked of the decoding thread");
    if (answer.kind === "failed") throw new Error(answer.message);
    const block = this.#block;
    // What the batch before came in.
    if (block.words.length > 0) this.#spares.push(block.words.buffer);
    block.words = answer.words;
    block.length = answer.length;
    block.rare = answer.rare;
    if (answer.isAnew) {
      this.#texts = [];
      this.#numbers = [];
    }
    for (const text of answer.addresses) this.#texts.push(text);
    this.#renumber(addresses);
    return { block, others: answer.others };
  }

  /** The comparison's numbers in the place of the thread's. */
  #renumber(addresses: AddressTable): void {
    const { words, length } = this.#block;
    for (let at = 0; at < length * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (kindOfHead(words[at + WORD.head] ?? 0) !== KIND.open) continue;
      const [initiator, responder] = [at + WORD.initiatorAddress, at + WORD.responderAddress];
      words[initiator] = this.#numberOf(words[initiator] ?? 0, addresses);
      words[responder] = this.#numberOf(words[responder] ?? 0, addresses);
    }
  }

  #numberOf(number: number, addresses: AddressTable): number {
    const known = this.#numbers[number];
    if (known !== undefined) return known;
    const own = addresses.numberOf(this.#texts[number] ?? "");
    this.#numbers[number] = own;
    return own;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const open of this.#open.splice(0)) open.reject(this.#failure);
  }
}
