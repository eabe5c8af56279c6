/**
 * Which records go into a file: whole, or by their header alone. What was asked for first stays whole
 * when the bounds are reached.
 */
import { PAYLOADS_BYTES_MAX, TEXTS_BYTES_MAX } from "./limits.ts";
import type { SourceBatch } from "./source.ts";

export class Selection {
  readonly #whole = new Set<number>();
  readonly #headers = new Set<number>();
  #payloadBytes = 0;
  #textBytes = 0;

  /** A record without which there is no file, or of which nothing is unpacked. */
  add(index: number): void {
    this.#whole.add(index);
  }

  /** Whole while there is room, else by its header. True when it is whole. */
  addWhole(batch: Pick<SourceBatch, "index" | "payloadBytes" | "rawBytes">): boolean {
    if (this.#whole.has(batch.index)) return true;
    const payloadBytes = this.#payloadBytes + batch.payloadBytes;
    const textBytes = this.#textBytes + batch.rawBytes;
    if (payloadBytes > PAYLOADS_BYTES_MAX || textBytes > TEXTS_BYTES_MAX) {
      this.#headers.add(batch.index);
      return false;
    }
    this.#payloadBytes = payloadBytes;
    this.#textBytes = textBytes;
    this.#whole.add(batch.index);
    return true;
  }

  addHeaders(batches: readonly SourceBatch[]): void {
    for (const { index } of batches) this.#headers.add(index);
  }

  /** In the order of the journal. */
  indexes(): { readonly index: number; readonly isWhole: boolean }[] {
    const all = [...this.#whole.union(this.#headers)].toSorted((a, b) => a - b);
    return all.map((index) => ({ index, isWhole: this.#whole.has(index) }));
  }
}
