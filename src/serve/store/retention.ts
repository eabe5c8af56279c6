/**
 * Forgets the store's oldest days: of the audit, once an hour and at the start, those past the days that
 * are set; of connections and logs those that somebody pruned. Rows alone, the journal has them
 * still. What is forgotten stands in the audit before it is gone.
 */
import type { ClickHouseClient } from "@clickhouse/client";
import type { Control } from "../../control/control.ts";
import { SYSTEM, type Who } from "../../control/who.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { dropDay, type OldDay, oldDays } from "../../store/old-days.ts";
import { dayOf } from "../../store/row-blocks.ts";
import { StoreError, storeErrorOf } from "../../store/store-error.ts";

export interface RetentionOptions {
  readonly clock: Clock;
  readonly control: Pick<Control, "record" | "settings" | "pruned">;
  /** Undefined while there is no store. */
  readonly client: () => ClickHouseClient | undefined;
  /** For what the store writes to drop a partition. */
  readonly makeRoom: () => Promise<void>;
  readonly log: (line: string) => void;
}

const EVERY_MS = 3_600_000;
/** The store starts, or is away: its days are not in a hurry. */
const RETRY_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

export class Retention {
  readonly #options: RetentionOptions;
  #timer: Timer | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;
  #hasFailed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** From now on, until `close`. */
  start(): void {
    this.#sweeping = this.#sweepAndWait();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  /**
   * Gives up connections and logs of whole days before a time. The days that went. Throws `bad_before`,
   * and what store and control throw.
   */
  async prune(beforeMs: number, who: Who): Promise<readonly OldDay[]> {
    const client = this.#options.client();
    if (client === undefined) {
      throw new StoreError("store_unavailable", "the store is not open yet");
    }
    let old: readonly OldDay[] = [];
    await this.#options.makeRoom();
    await this.#options.control.pruned.before(beforeMs, who, async () => {
      old = await prunableDays(client, beforeMs);
      return { facts: factsOf(old), isNothing: old.length === 0 };
    });
    await dropAll(client, old);
    return old;
  }

  /** The audit's days that went. Throws what store and control throw. */
  async sweep(client: ClickHouseClient): Promise<readonly OldDay[]> {
    const { clock, control } = this.#options;
    const days = control.settings.get("audit_days");
    // The day in which the oldest row that is to stay may stand stays whole.
    const old = await oldDays(client, "audit_rows", dayOf(clock.nowMs() - days * DAY_MS));
    if (old.length === 0) return [];
    const facts = { ...factsOf(old), audit_days: days };
    const target = { type: "audit", id: "", name: "" };
    await control.record({ who: SYSTEM, action: "audit.expire", target }, () => ({
      parts: [{ facts }],
      effects: [],
      answer: () => undefined,
    }));
    await dropAll(client, old);
    return old;
  }

  /** What was pruned comes back when a store is made anew, or was not settled then. It is on record already. */
  async #sweepPruned(client: ClickHouseClient): Promise<void> {
    const { beforeMs } = this.#options.control.pruned;
    if (beforeMs === 0) return;
    await dropAll(client, await prunableDays(client, beforeMs));
  }

  async #sweepAndWait(): Promise<void> {
    const waitMs = (await this.#sweepIfPossible()) ? EVERY_MS : RETRY_MS;
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(waitMs, () => this.start());
  }

  async #sweepIfPossible(): Promise<boolean> {
    const client = this.#options.client();
    if (client === undefined) return false;
    try {
      await this.sweep(client);
      await this.#sweepPruned(client);
      this.#hasFailed = false;
      return true;
    } catch (error) {
      if (!this.#hasFailed && !this.#closed) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.log(`the oldest days cannot be forgotten yet: ${reason}`);
      }
      this.#hasFailed = true;
      return false;
    }
  }
}

async function prunableDays(client: ClickHouseClient, beforeMs: number): Promise<OldDay[]> {
  const before = dayOf(beforeMs);
  try {
    const connections = await oldDays(client, "connection_rows", before);
    return [...connections, ...(await oldDays(client, "log_rows", before))];
  } catch (error) {
    throw storeErrorOf(error);
  }
}

async function dropAll(client: ClickHouseClient, days: readonly OldDay[]): Promise<void> {
  try {
    for (const day of days) await dropDay(client, day);
  } catch (error) {
    throw storeErrorOf(error);
  }
}

/** Empty texts where there is no day. */
function factsOf(days: readonly OldDay[]): Facts {
  const names = days.map(({ day }) => day).toSorted();
  return {
    rows: days.reduce((sum, { rows }) => sum + rows, 0),
    bytes: days.reduce((sum, { bytes }) => sum + bytes, 0),
    from: names[0] ?? "",
    to: names.at(-1) ?? "",
  };
}

type Facts = Readonly<Record<"rows" | "bytes", number> & Record<"from" | "to", string>>;
