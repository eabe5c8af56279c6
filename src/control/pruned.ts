/** Up to when the store's rows were given up to make room: a store that is made anew gives them up again. */
import type { DatabaseSync } from "node:sqlite";
import type { AuditEntry } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import { PRUNE_KEPT_MS_MIN } from "./limits.ts";
import type { Who } from "./who.ts";

/** What is to go: its number and size stand in the audit. */
export interface ToPrune {
  readonly facts: AuditEntry["facts"];
  readonly isNothing: boolean;
}

export class Pruned {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, writer: ChangeWriter, clock: Clock) {
    this.#database = database;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** 0: nothing was pruned. */
  get beforeMs(): number {
    return Number(this.#database.prepare("SELECT before_ms FROM pruned").get()?.["before_ms"]);
  }

  /**
   * On record before anything goes. `look` says what would; it is asked when no other change is under way.
   * Throws `bad_before`, `control_busy`, `control_failed`, and what `look` throws.
   */
  async before(beforeMs: number, who: Who, look: () => Promise<ToPrune>): Promise<void> {
    const target = { type: "store", id: "", name: "" };
    await this.#writer.change({ who, action: "store.prune", target }, async () => {
      if (!(beforeMs <= this.#clock.nowMs() - PRUNE_KEPT_MS_MIN)) {
        throw new ControlError("bad_before", `${isoTime(beforeMs)} is less than a day ago`);
      }
      const { facts, isNothing } = await look();
      const known = this.beforeMs;
      const next = Math.max(known, beforeMs);
      if (isNothing && next === known) return { unchanged: undefined };
      return {
        parts: [
          { before: { rows_from: rowsFrom(known) }, after: { rows_from: rowsFrom(next) }, facts },
        ],
        effects: [{ do: "update", table: "pruned", key: { id: 0 }, set: { before_ms: next } }],
        answer: () => undefined,
      };
    });
  }
}

function rowsFrom(beforeMs: number): string | null {
  return beforeMs === 0 ? null : isoTime(beforeMs);
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
