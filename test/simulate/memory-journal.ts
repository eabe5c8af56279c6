/** A journal for tests, in memory: the test says how long an append takes and how it fails. */
import type { JournalPort, JournalRecord } from "../../src/ingest/journal-port.ts";

export class MemoryJournal implements JournalPort {
  readonly records: JournalRecord[] = [];
  /** Asked before each append; rejecting refuses it. */
  before: (record: JournalRecord) => Promise<void> = () => Promise.resolve();
  /** Asked when the record is there, before it is acknowledged; rejecting: persisted, but reported as failed. */
  after: (record: JournalRecord) => Promise<void> = () => Promise.resolve();
  #tail: Promise<unknown> = Promise.resolve();

  append(record: Omit<JournalRecord, "index">): Promise<{ readonly index: number }> {
    const appended = this.#tail.then(() => this.#append(record));
    this.#tail = appended.catch(() => undefined);
    return appended;
  }

  async *read(fromIndex: number): AsyncIterable<JournalRecord> {
    for (const record of this.records.slice(fromIndex)) yield record;
  }

  async #append(record: Omit<JournalRecord, "index">): Promise<{ readonly index: number }> {
    const stored = { ...record, index: this.records.length };
    await this.before(stored);
    this.records.push(stored);
    await this.after(stored);
    return { index: stored.index };
  }
}
