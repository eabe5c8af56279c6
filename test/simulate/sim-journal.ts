/** A journal in memory, for what reads one. */
import type { DeriveJournal, JournalBatch } from "../../src/reconcile/derive/derive.ts";

export class SimJournal implements DeriveJournal {
  readonly records: JournalBatch[] = [];
  #grown = Promise.withResolvers<void>();

  get end(): number {
    return this.records.length;
  }

  append(frame: Uint8Array, receivedMs: number, type: JournalBatch["type"] = "batch"): number {
    const index = this.records.length;
    this.records.push({ index, receivedMs, type, frame });
    this.#grown.resolve();
    this.#grown = Promise.withResolvers<void>();
    return index;
  }

  read(from: number, to: number, bytesMax: number): Promise<JournalBatch[]> {
    const read: JournalBatch[] = [];
    let bytes = 0;
    for (const record of this.records.slice(from, Math.min(to, from + 4096))) {
      if (read.length > 0 && bytes + record.frame.length > bytesMax) break;
      read.push(record);
      bytes += record.frame.length;
    }
    return Promise.resolve(read);
  }

  grown(index: number): Promise<void> {
    return this.end > index ? Promise.resolve() : this.#grown.promise;
  }
}
