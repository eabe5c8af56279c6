/**
 * The one error of this folder, with the table of its codes. A refused query of a user is no error but an outcome:
 * its codes are beside the guard (sql-guard.ts).
 */
import { ClickHouseError } from "@clickhouse/client";

export const storeErrorCodes = {
  store_unavailable:
    "the engine is starting, restarting or unreachable; the same call may succeed later",
  store_failed: "the engine answered with an error, or could not be started at all",
  store_closed: "the store was closed by its owner",
  store_incomplete:
    "rows are missing that others rest on: the store was changed or restored in part, and is to be made anew",
  store_bad_options: "neither a data directory nor a usable URL was given",
  store_foreign:
    "the database elsewhere holds tables that are not ours, or is of another server; nothing was changed",
} as const;

export type StoreErrorCode = keyof typeof storeErrorCodes;

export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}

/** What a client's call threw, as an error of ours: `store_failed` if the engine answered, `store_unavailable` if it did not. */
export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof ClickHouseError)
    return new StoreError("store_failed", `${error.message.trim()} (${error.type ?? error.code})`, {
      cause: error,
    });
  const message = error instanceof Error ? error.message : String(error);
  // An answer that the client could not take apart is an answer nevertheless.
  const code = /^Code: \d/.test(message) ? "store_failed" : "store_unavailable";
  return new StoreError(code, message, { cause: error });
}
