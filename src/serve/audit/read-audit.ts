/**
 * Who read what, without drowning: reads of the same query by the same session within ten minutes are
 * one entry when they begin, and one more when they have ended, which says how many there were.
 */
import { createHash } from "node:crypto";
import type { Who } from "../../control/who.ts";
import type { AuditEntry, Target } from "../../format/entry.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { auditEntry } from "./audit-entry.ts";
import { ENTRIES_PER_APPEND, FOLDS_MAX, QUERY_SUMMED_MAX, READ_FOLD_MS } from "./limits.ts";
import { shortened } from "./normal-query.ts";

export interface ReadAuditOptions {
  readonly clock: Clock;
  /** Resolves when durable. Rejects with `control_busy` where nothing was written. */
  append(entries: readonly AuditEntry[]): Promise<unknown>;
}

export interface ReadSaid {
  readonly who: Who;
  /** Whose reads fold: a session's or a token's. */
  readonly session: string;
  /** `connections.read` */
  readonly action: string;
  readonly target: Target;
  /** Normalised: without what turns pages. */
  readonly query: string;
  /** Each stands for itself. */
  readonly isExport: boolean;
}

/** A read that is under way. */
export interface ReadUnderWay {
  /** Resolves when it may be answered: its entry is durable. */
  readonly recorded: Promise<unknown>;
  /** What was answered. */
  gave(rows: number, bytes: number): void;
}

/** A read that goes on until somebody ends it: a live tail. */
export interface TailUnderWay {
  /** Resolves when it may begin: its entry is durable. */
  readonly recorded: Promise<unknown>;
  /** To be called once: what it gave stands in an entry of the same group. */
  ended(gave: Readonly<Record<string, number>>): void;
}

interface Fold {
  readonly said: ReadSaid;
  readonly group: string;
  readonly sinceMs: number;
  recorded: Promise<unknown>;
  requests: number;
  rows: number;
  bytes: number;
}

export class ReadAudit {
  readonly #options: ReadAuditOptions;
  /** Oldest first. */
  readonly #folds = new Map<string, Fold>();
  #timer: Timer | undefined;

  constructor(options: ReadAuditOptions) {
    this.#options = options;
  }

  begin(said: ReadSaid): ReadUnderWay {
    const fold = said.isExport ? this.#first(said) : this.#foldFor(said);
    fold.requests++;
    return {
      recorded: fold.recorded,
      gave: (rows, bytes) => {
        fold.rows += rows;
        fold.bytes += bytes;
      },
    };
  }

  /** Two entries, when it opens and when it closes; it folds with nothing. */
  tail(said: Omit<ReadSaid, "session" | "isExport">): TailUnderWay {
    const { who, action, target, query } = said;
    const { clock } = this.#options;
    const sinceMs = clock.nowMs();
    const common = { who, action, target, read: true };
    const facts = { query, state: "open" };
    const opened = auditEntry({ ...common, atMs: sinceMs, facts });
    const recorded = this.#options.append([opened]);
    recorded.catch(() => undefined);
    return {
      recorded,
      ended: (gave) => {
        const atMs = clock.nowMs();
        const { group } = opened;
        const closing = { query, state: "closed", ...gave, duration_ms: atMs - sinceMs };
        const closed = auditEntry({ ...common, atMs, group, facts: closing });
        this.#options.append([closed]).catch(() => undefined);
      },
    };
  }

  /** Ends all folds: what they counted is journaled. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#end([...this.#folds.keys()]);
  }

  #foldFor(said: ReadSaid): Fold {
    const { who, session, action, target, query } = said;
    const alike = [who.actor.type, session, who.address, action, target.id, query];
    const key = createHash("sha256").update(JSON.stringify(alike)).digest("base64url");
    const known = this.#folds.get(key);
    const nowMs = this.#options.clock.nowMs();
    if (known !== undefined && nowMs - known.sinceMs < READ_FOLD_MS) return known;
    const ended = known === undefined ? [] : [key];
    const oldest = this.#folds.keys().next().value;
    if (this.#folds.size >= FOLDS_MAX && oldest !== undefined) ended.push(oldest);
    this.#end(ended).catch(() => undefined);
    const fold = this.#first(said);
    this.#folds.set(key, fold);
    // An entry that was not written is no beginning of anything.
    fold.recorded.catch(() => this.#folds.get(key) === fold && this.#folds.delete(key));
    this.#timer ??= this.#options.clock.after(READ_FOLD_MS, () => this.#endOld());
    return fold;
  }

  #first(said: ReadSaid): Fold {
    const { who, action, target, query } = said;
    const sinceMs = this.#options.clock.nowMs();
    const entry = auditEntry({ who, atMs: sinceMs, action, target, read: true, facts: { query } });
    const recorded = this.#options.append([entry]);
    // Whoever waits for it is told; nobody else has to be.
    recorded.catch(() => undefined);
    const summed = { ...said, query: shortened(query, QUERY_SUMMED_MAX) };
    return { said: summed, group: entry.group, sinceMs, recorded, requests: 0, rows: 0, bytes: 0 };
  }

  #endOld(): void {
    const nowMs = this.#options.clock.nowMs();
    const old = [...this.#folds].filter(([, { sinceMs }]) => nowMs - sinceMs >= READ_FOLD_MS);
    this.#end(old.map(([key]) => key)).catch(() => undefined);
    const [next] = this.#folds.values();
    const waitMs = next === undefined ? undefined : next.sinceMs + READ_FOLD_MS - nowMs;
    this.#timer =
      waitMs === undefined ? undefined : this.#options.clock.after(waitMs, () => this.#endOld());
  }

  async #end(keys: readonly string[]): Promise<void> {
    const folds = keys.flatMap((key) => this.#folds.get(key) ?? []);
    for (const key of keys) this.#folds.delete(key);
    const atMs = this.#options.clock.nowMs();
    // Also of a single read: its entry could not say how much it would give.
    const summaries = folds.map(({ said, group, requests, rows, bytes }) => {
      const { who, action, target, query } = said;
      const facts = { action, query, requests, rows, bytes };
      return auditEntry({ who, atMs, action: "read.summary", target, read: true, group, facts });
    });
    for (let at = 0; at < summaries.length; at += ENTRIES_PER_APPEND) {
      await this.#options.append(summaries.slice(at, at + ENTRIES_PER_APPEND));
    }
  }
}
