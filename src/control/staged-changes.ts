/** Changes whose entry may be in the journal or not: kept beside the tables, where nobody looks for settings. */
import type { DatabaseSync } from "node:sqlite";
import { applyEffect, type Effect } from "./effect.ts";

export class StagedChanges {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Durable on return. */
  stage(id: string, effects: readonly Effect[]): void {
    this.#database
      .prepare("INSERT INTO staged_changes (id, effects) VALUES (?, ?)")
      .run(id, JSON.stringify(effects));
  }

  has(id: string): boolean {
    return (
      this.#database.prepare("SELECT 1 FROM staged_changes WHERE id = ?").get(id) !== undefined
    );
  }

  /** To be called within a transaction. Nothing happens where it is not staged: it was applied before. */
  apply(id: string): void {
    const row = this.#database.prepare("SELECT effects FROM staged_changes WHERE id = ?").get(id);
    if (row === undefined) return;
    const effects = JSON.parse(String(row["effects"])) as Effect[];
    for (const effect of effects) applyEffect(this.#database, effect);
    this.drop(id);
  }

  drop(id: string): void {
    this.#database.prepare("DELETE FROM staged_changes WHERE id = ?").run(id);
  }

  /** How many there were. */
  dropAll(): number {
    return Number(this.#database.prepare("DELETE FROM staged_changes").run().changes);
  }
}
