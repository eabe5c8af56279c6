/** A journal for tests, in memory: appends become durable when the test says so, or fail. */
import type { JournalPort, JournalRecord } from "./journal-port.ts";

export class MemoryJournal implements JournalPort {
  readonly records: JournalRecord[] = [];
  /** Asked for each append: what it waits for; rejecting makes the append fail. */
  gate: (record: JournalRecord) => Promise<void> = () => Promise.resolve();
  refuse: (bytes: number) => Error | undefined = () => undefined;

  append(record: Omit<JournalRecord, "index">): Promise<{ readonly index: number }> {
    const stored = { ...record, index: this.records.length };
    this.records.push(stored);
    return this.gate(stored).then(() => ({ index: stored.index }));
  }

  async *read(fromIndex: number): AsyncIterable<JournalRecord> {
    for (const record of this.records.slice(fromIndex)) yield record;
  }
}
