/** The one error of this folder. Its codes are listed in docs/errors.md. */
export type JournalErrorCode =
  /** Too much is waiting for the disk. Not written; try again later. */
  | "journal_busy"
  /** The file system has no room. Not written; try again when there is. */
  | "journal_full"
  /** The frame is longer than FRAME_BYTES_MAX. Not written. */
  | "record_too_large"
  /** A write or a sync failed: the outcome is unknown, and nothing can be appended until a restart. */
  | "journal_failed"
  /** It was closed before the record was written. Not written. */
  | "journal_closed"
  /** Another process writes to this directory. */
  | "journal_in_use"
  /** Bytes that were durable are not what they were. */
  | "journal_corrupt";

export class JournalError extends Error {
  readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "JournalError";
    this.code = code;
  }
}

/** Corruption, told to whoever must repair it. Damaged files are never changed by the journal itself. */
export function corrupt(file: string, offset: number, what: string): JournalError {
  return new JournalError(
    "journal_corrupt",
    `journal segment ${file} is damaged at byte ${offset}: ${what}; acknowledged records are affected, so nothing was changed: restore this file from a backup or another copy, and check the disk`,
  );
}

/** Nothing was written. */
export function full(cause?: unknown): JournalError {
  return new JournalError(
    "journal_full",
    "the journal's file system is full; make room, it goes on by itself",
    { cause },
  );
}
