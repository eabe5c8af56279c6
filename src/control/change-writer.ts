/**
 * No entry, no change: whatever is configured changes here, one change at a time, so that what was
 * checked still holds when it is applied. The order of effects, and what a crash after each step means:
 *
 *   1. planned: checked against the tables   nothing happened
 *   2. staged in SQLite, secrets included    nothing happened; the next start drops it
 *   3. its audit entry durable               it has happened; the next start applies it
 *   4. applied and unstaged, as one          done
 *   5. answered                              who asked may ask again and finds it done
 *
 * A journal that cannot say whether it has the entry ends the process: the next start reads it. So
 * does a failure in step 4, after which memory, file and journal no longer agree.
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { AuditEntry, ServerEntry, Target } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import { crashPoint } from "../std/crash-point.ts";
import { ControlError } from "./control-error.ts";
import { transaction } from "./database.ts";
import type { Effect } from "./effect.ts";
import { CHANGES_WAITING_MAX, CHANGES_WAITING_OF_ONE_MAX } from "./limits.ts";
import { propertyChanges, type Shown } from "./property-changes.ts";
import { StagedChanges } from "./staged-changes.ts";
import { ownerOf, type Who } from "./who.ts";

export interface ChangeWriterOptions {
  readonly clock: Clock;
  /**
   * Appends to the server's own stream, all entries in one batch; resolves with the journal index
   * when they are durable. Rejects with a `ControlError` when nothing was written; any other
   * rejection is an unknown outcome.
   */
  append(entries: readonly ServerEntry[]): Promise<{ readonly index: number }>;
  /** Before the file is written to: frees what is reserved for it on a full disk. Never rejects. */
  makeRoom?(): Promise<void>;
  /** Called once: what is in memory may no longer be what is on disk, so the process must end. */
  onFatal(error: ControlError): void;
}

/** What was asked for; it is known also of what is refused. */
export interface Asked {
  readonly who: Who;
  /** `user.create` */
  readonly action: string;
  readonly target: Target;
}

/** One thing that changes. */
export interface Part {
  /** Default: what was asked for. */
  readonly action?: string;
  readonly target?: Target;
  readonly before?: Shown;
  readonly after?: Shown;
  readonly facts?: AuditEntry["facts"];
}

/** A change that has been checked, and can be made. */
export interface Plan<T> {
  /** One audit entry each, of one group; at least one. */
  readonly parts: readonly Part[];
  readonly effects: readonly Effect[];
  /** Entries that mean something by themselves, in the same batch: `enrolled`, `revoked`, `ruling`. */
  readonly entries?: readonly ServerEntry[];
  /** After the tables have changed, in the same transaction. */
  readonly apply?: () => void;
  /** Whatever becomes of it, once that is known. */
  readonly afterwards?: () => void;
  /** When all is done. */
  readonly answer: (place: { readonly index: number }) => T;
}

/** It is so already: no entry, and this answer. */
export interface Unchanged<T> {
  readonly unchanged: T;
}

export type Planned<T> = Plan<T> | Unchanged<T>;

export class ChangeWriter {
  readonly #database: DatabaseSync;
  readonly #options: ChangeWriterOptions;
  readonly #staged: StagedChanges;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** By whose they are. */
  readonly #waitingOf = new Map<string, number>();
  #failure: ControlError | undefined;

  constructor(database: DatabaseSync, options: ChangeWriterOptions) {
    this.#database = database;
    this.#options = options;
    this.#staged = new StagedChanges(database);
  }

  /** Index of the first journal record whose entries may not be applied yet. */
  get appliedIndex(): number {
    return Number(this.#database.prepare("SELECT next_index FROM applied").get()?.["next_index"]);
  }

  /**
   * Makes one change, after those that were asked for before. `plan` checks and throws a
   * `ControlError` to refuse, which leaves an audit entry too. Throws that error, `control_busy`,
   * `control_failed`.
   */
  change<T>(asked: Asked, plan: () => Planned<T> | Promise<Planned<T>>): Promise<T> {
    this.check();
    if (this.#waiting >= CHANGES_WAITING_MAX) {
      throw new ControlError("control_busy", `${CHANGES_WAITING_MAX} changes wait; try again`);
    }
    const isOver = this.#wait(asked.who);
    const change = this.#tail.then(() => {
      this.check();
      return this.#make(asked, plan);
    });
    this.#tail = change.then(isOver, isOver);
    return change;
  }

  /** Counts a change that waits, until what is returned is called. Throws `control_busy`. */
  #wait(who: Who): () => void {
    const { id: whose, name } = ownerOf(who);
    const count = this.#waitingOf.get(whose) ?? 0;
    // A fleet that enrols at once asks by the server.
    const isSomebody = who.actor.type === "user" || who.actor.type === "token";
    if (isSomebody && count >= CHANGES_WAITING_OF_ONE_MAX) {
      throw new ControlError("control_busy", `${count} changes of ${name} wait; try again`);
    }
    this.#waiting++;
    this.#waitingOf.set(whose, count + 1);
    return () => {
      this.#waiting--;
      const left = (this.#waitingOf.get(whose) ?? 1) - 1;
      if (left === 0) this.#waitingOf.delete(whose);
      else this.#waitingOf.set(whose, left);
    };
  }

  /** At the start, for every audit entry from `appliedIndex` on. Idempotent. */
  recover(entry: AuditEntry): void {
    transaction(this.#database, () => this.#staged.apply(entry.id));
  }

  /** When all have been seen: what is staged still was never journaled. */
  recovered(nextIndex: number): void {
    transaction(this.#database, () => {
      this.#staged.dropAll();
      this.#setApplied(nextIndex);
    });
  }

  /** Throws what stopped all changes. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for the change in progress; then there is no other. */
  async close(): Promise<void> {
    await this.#tail;
    this.#failure ??= new ControlError("control_failed", "the control state is closed");
  }

  async #make<T>(asked: Asked, plan: () => Planned<T> | Promise<Planned<T>>): Promise<T> {
    let planned: Planned<T>;
    // First: a plan may forget what is long dead, which writes too.
    await this.#options.makeRoom?.();
    try {
      planned = await plan();
    } catch (error) {
      await this.#refuse(asked, error);
      if (error instanceof Error) audited.add(error);
      throw error;
    }
    if ("unchanged" in planned) return planned.unchanged;
    try {
      return await this.#commit(asked, planned);
    } finally {
      planned.afterwards?.();
    }
  }

  async #commit<T>(asked: Asked, planned: Plan<T>): Promise<T> {
    crashPoint("control: planned");
    const entries = auditEntries(asked, planned.parts, this.#options.clock.nowMs());
    const id = entries[0]?.id ?? "";
    const also = asked.who.remember?.(asked.action, asked.target.id) ?? [];
    this.#stage(id, [...planned.effects, ...also]);
    crashPoint("control: staged");
    const place = await this.#append(id, [...entries, ...(planned.entries ?? [])]);
    crashPoint("control: journaled");
    this.#apply(id, planned, place.index);
    crashPoint("control: applied");
    return planned.answer(place);
  }

  /** What there was no room for has not happened. */
  #stage(id: string, effects: readonly Effect[]): void {
    try {
      this.#staged.stage(id, effects);
    } catch (cause) {
      if ((cause as { errcode?: unknown }).errcode !== SQLITE_FULL) throw cause;
      throw new ControlError("control_busy", "the disk is full; make room", { cause });
    }
  }

  async #append(id: string, entries: readonly ServerEntry[]): Promise<{ readonly index: number }> {
    try {
      return await this.#options.append(entries);
    } catch (cause) {
      if (!(cause instanceof ControlError)) {
        throw this.#fail("the journal did not confirm a change; its outcome is unknown", cause);
      }
      this.#staged.drop(id);
      throw cause;
    }
  }

  #apply(id: string, { apply }: Plan<unknown>, index: number): void {
    try {
      transaction(this.#database, () => {
        this.#staged.apply(id);
        apply?.();
        // Changes run one at a time, so every one before this record is applied too.
        this.#setApplied(index + 1);
        crashPoint("control: applying");
      });
    } catch (cause) {
      throw this.#fail("a journaled change could not be stored", cause);
    }
  }

  /** The attempt is on record before it is answered, unless the journal takes nothing: then nothing happens at all. */
  async #refuse(asked: Asked, error: unknown): Promise<void> {
    const isRefusal = error instanceof ControlError;
    const code = isRefusal ? error.code : "internal";
    const [entry] = auditEntries(asked, [{}], this.#options.clock.nowMs());
    if (entry === undefined) return;
    const outcome = isRefusal ? "refused" : "failed";
    try {
      await this.#options.append([{ ...entry, outcome, code }]);
    } catch (cause) {
      if (cause instanceof ControlError) return;
      throw this.#fail("the journal did not confirm an entry; its outcome is unknown", cause);
    }
  }

  #setApplied(nextIndex: number): void {
    this.#database.prepare("UPDATE applied SET next_index = max(next_index, ?)").run(nextIndex);
  }

  #fail(message: string, cause: unknown): ControlError {
    this.#failure ??= new ControlError("control_failed", message, { cause });
    this.#options.onFatal(this.#failure);
    return this.#failure;
  }
}

/** SQLite's code: "database or disk is full". */
const SQLITE_FULL = 13;

const audited = new WeakSet<Error>();

/** The attempt that ended in this error is on record already. */
export function isAudited(error: unknown): boolean {
  return error instanceof Error && audited.has(error);
}

function auditEntries(asked: Asked, parts: readonly Part[], atMs: number): AuditEntry[] {
  const { actor, address, origin } = asked.who;
  const group = randomBytes(16).toString("hex");
  return parts.map((part, at) => ({
    kind: "audit",
    atMs,
    id: at === 0 ? group : randomBytes(16).toString("hex"),
    group,
    actor,
    address,
    origin,
    action: part.action ?? asked.action,
    read: false,
    target: part.target ?? asked.target,
    changes: propertyChanges(part.before ?? {}, part.after ?? {}),
    outcome: "done",
    code: "",
    facts: part.facts ?? {},
  }));
}
