/**
 * A lock that the kernel holds on a file and drops when the process ends, however it dies: nothing
 * stale is ever left to remove by hand. SQLite is the part of Node that takes such a lock, and it
 * keeps two holders inside one process apart too, which bare fcntl locks do not.
 */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { DiskLock } from "./disk.ts";

/** Undefined, at once, when somebody else has it. */
export function lockFile(path: string): DiskLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    chmodSync(path, 0o600);
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  // For people only: the lock is the kernel's, this file proves nothing.
  writeFileSync(pidPath(path), `${process.pid}\n`, { mode: 0o600 });
  return {
    release: () => {
      database.close();
      return Promise.resolve();
    },
  };
}

/** Who took the lock last, for an error message; undefined when it does not say. */
export function lockHolderPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidPath(path), "utf8"), 10);
    return Number.isSafeInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function pidPath(path: string): string {
  return `${path}.pid`;
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}
