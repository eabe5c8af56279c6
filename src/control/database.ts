/**
 * The SQLite file: locked to one process, durable at each commit, brought forward to the newest
 * schema. The lock is the kernel's, so it ends with the process however that dies; and since the
 * file belongs to a data directory, it is the lock of the whole directory.
 */
import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ControlError } from "./control-error.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Throws `data_in_use` at once when another process has the file open, `state_too_new`, `control_failed`. */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON",
    );
    database.exec("BEGIN IMMEDIATE; COMMIT");
    if (file !== ":memory:") chmodSync(file, 0o600);
    migrate(database, MIGRATIONS);
    return database;
  } catch (cause) {
    database.close();
    throw cause instanceof ControlError ? cause : openError(file, cause);
  }
}

/** Takes the steps that are missing, each in a transaction with its number. */
export function migrate(database: DatabaseSync, steps: readonly string[]): void {
  const version = versionOf(database);
  if (version > steps.length) {
    throw new ControlError(
      "state_too_new",
      `the state file has schema ${version}, this server knows ${steps.length}; start the newer server again`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    transaction(database, () => database.exec(`${step} PRAGMA user_version = ${index + 1}`));
  }
}

/** Runs `effects` as a whole or not at all. */
export function transaction<T>(database: DatabaseSync, effects: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = effects();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

function openError(file: string, cause: unknown): ControlError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/locked|busy/i.test(text)) {
    return new ControlError(
      "data_in_use",
      `another server uses ${file}; stop it, or give this one its own --data`,
      { cause },
    );
  }
  return new ControlError(
    "control_failed",
    `cannot open ${file}; move it away to have it rebuilt from the journal (nodes come back; users, tokens, unspent enrolment keys and settings are lost)`,
    { cause },
  );
}
