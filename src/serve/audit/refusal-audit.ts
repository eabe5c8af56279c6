/**
 * Attempts that were refused before anything could change: who, from where, what, and why. Those that
 * are alike fold for a minute, so that a guesser writes two lines a minute into the journal and not a thousand.
 */
import type { Who } from "../../control/who.ts";
import type { AuditEntry, Target } from "../../format/entry.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { networkOf } from "../access/signin-throttle.ts";
import { auditEntry, NOTHING } from "./audit-entry.ts";
import { ENTRIES_PER_APPEND, FOLDS_MAX, REFUSAL_FOLD_MS } from "./limits.ts";

export interface RefusalAuditOptions {
  readonly clock: Clock;
  append(entries: readonly AuditEntry[]): Promise<unknown>;
}

export interface Refused {
  readonly who: Who;
  readonly action: string;
  readonly target: Target;
  /** Of the error. */
  readonly code: string;
  /** It was allowed, and could not be done. */
  readonly isFailure: boolean;
}

interface Fold {
  readonly refused: Refused;
  readonly group: string;
  more: number;
}

export class RefusalAudit {
  readonly #options: RefusalAuditOptions;
  #folds = new Map<string, Fold>();
  #timer: Timer | undefined;

  constructor(options: RefusalAuditOptions) {
    this.#options = options;
  }

  add(refused: Refused): void {
    const key = this.#keyOf(refused);
    const known = this.#folds.get(key);
    if (known !== undefined) {
      known.more++;
      return;
    }
    const entry = this.#entry(refused);
    this.#write([entry]);
    this.#folds.set(key, { refused, group: entry.group, more: 0 });
    this.#timer ??= this.#options.clock.after(REFUSAL_FOLD_MS, () => this.#endAll());
  }

  close(): void {
    this.#timer?.cancel();
    this.#endAll();
  }

  /** What somebody who is known did is told for each target; of strangers one line a network must do: they choose the rest. */
  #keyOf({ who, action, target, code }: Refused): string {
    if (this.#folds.size >= FOLDS_MAX) return "too many";
    const { actor, address } = who;
    const about =
      actor.type === "nobody"
        ? [networkOf(address), action]
        : [actor.id, address, action, target.id];
    return JSON.stringify([actor.type, code, ...about]);
  }

  #entry(refused: Refused, facts: AuditEntry["facts"] = {}, group?: string): AuditEntry {
    const { who, action, target, code, isFailure } = refused;
    return auditEntry({
      who,
      atMs: this.#options.clock.nowMs(),
      action,
      target,
      code,
      outcome: isFailure ? "failed" : "refused",
      facts,
      ...(group === undefined ? {} : { group }),
    });
  }

  #endAll(): void {
    this.#timer = undefined;
    const entries = [...this.#folds.values()].flatMap(({ refused, group, more }) =>
      more === 0 ? [] : [this.#entry({ ...refused, target: NOTHING }, { more }, group)],
    );
    this.#folds = new Map();
    for (let at = 0; at < entries.length; at += ENTRIES_PER_APPEND) {
      this.#write(entries.slice(at, at + ENTRIES_PER_APPEND));
    }
  }

  /** Nobody waits for it: where the journal takes nothing, nothing can be changed either. */
  #write(entries: readonly AuditEntry[]): void {
    if (entries.length > 0) this.#options.append(entries).catch(() => undefined);
  }
}
