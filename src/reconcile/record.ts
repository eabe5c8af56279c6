/** A record of the journal as the comparison takes it: a batch's place and header, and its entries. */
import type { BatchHeader } from "../format/batch.ts";
import type { Entry } from "../format/entry.ts";

export interface BatchRecord {
  /** In the journal. */
  readonly index: number;
  readonly receivedMs: number;
  /** Hex. */
  readonly nodeId: string;
  readonly header: BatchHeader;
}

/** Of the entries that are not about connections. */
export interface NumberedEntry {
  readonly entry: Entry;
  readonly seq: number;
}
