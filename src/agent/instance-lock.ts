/**
 * One agent per state directory. The lock is the kernel's own on a file, so it ends with the
 * process however that dies; SQLite is the part of Node that takes one.
 */
import { DatabaseSync } from "node:sqlite";
import { AgentError } from "./agent-error.ts";

export class InstanceLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws `state_in_use` at once when another process holds it. */
  static take(file: string): InstanceLock {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    } catch (cause) {
      database.close();
      throw new AgentError(
        "state_in_use",
        `another agent runs on ${file.replace(/\/lock$/, "")}; stop it, or give this one its own --state`,
        { cause },
      );
    }
    return new InstanceLock(database);
  }

  release(): void {
    this.#database.close();
  }
}
