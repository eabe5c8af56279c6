/**
 * What ingest needs of the journal. The contract:
 *
 * - Records get contiguous indices in the order of the calls of `append` that were not refused, and
 *   the promises resolve in that order.
 * - `append` resolves when the record is durable. It rejects with an error whose `code` is
 *   `journal_busy`, `journal_full` or `journal_closed` when nothing was written; with any other
 *   the outcome is unknown: the record may or may not be there after a restart, and nothing can be
 *   appended any more.
 * - The frame is the journal's from the call on; the caller does not write to it again.
 * - `read` yields records from `fromIndex` (inclusive) in order, up to the last durable one at the
 *   time of the call. Frames may be views that are valid only until the next step. Where retention
 *   dropped a payload, the frame is at least header and signature.
 */
export type RecordType = "batch" | "evidence";

export interface JournalRecord {
  readonly index: number;
  readonly type: RecordType;
  /** The server's clock when it was admitted, Unix ms. */
  readonly receivedMs: number;
  readonly frame: Uint8Array;
}

/** How one record is appended. */
export interface AppendOptions {
  /** It is written also when there is little room, as long as there is any, or a reserve. */
  readonly mayUseReserve?: boolean;
}

export interface JournalPort {
  append(
    record: Omit<JournalRecord, "index">,
    options?: AppendOptions,
  ): Promise<{ readonly index: number }>;
  read(fromIndex: number): AsyncIterable<JournalRecord>;
}
