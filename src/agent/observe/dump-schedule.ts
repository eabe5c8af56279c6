/**
 * When the kernel's table is dumped into the tracker: at the start, after each interruption, once
 * losses have ended, every five minutes. A dump counts once a mark sent after it has been read, so that no event from before
 * its end is still unread; where marks never come back it counts after a few seconds.
 */
import type { Clock } from "../../std/clock.ts";
import type { Fence, Mark } from "./fence.ts";
import { DUMP_FENCE_WAIT_MS, DUMP_INTERVAL_MS, LOSS_AGAIN_MS, LOSS_QUIET_MS } from "./limits.ts";
import { dumpTable } from "./table-dump.ts";
import type { Tracker } from "./tracker.ts";

export interface DumpScheduleOptions {
  readonly clock: Clock;
  readonly tracker: Pick<Tracker, "beginDump" | "dumpEntry" | "endDump" | "abandonDump">;
  readonly fence: Pick<Fence, "provoke">;
  readonly command: readonly string[];
  readonly warn: (body: string) => void;
}

interface Pending {
  /** Sent after the table was read. */
  readonly mark: Mark;
  readonly deadlineMonotonicMs: number;
}

export class DumpSchedule {
  readonly #options: DumpScheduleOptions;
  #pending: Pending | undefined;
  #dueMonotonicMs = 0;
  #lossDueMonotonicMs: number | undefined;
  /** Ends the reading that is going on. */
  #reading: AbortController | undefined;
  #stopped = false;
  #ran = false;

  constructor(options: DumpScheduleOptions) {
    this.#options = options;
  }

  /**
   * Starts a dump that is due, where `mayStart`. Without `marksCome`, ends one that waited long
   * enough; with them it waits for its mark, as long as a stopped reader may take.
   */
  tick({ mayStart, marksCome }: { mayStart: boolean; marksCome: boolean }): void {
    const nowMs = this.#options.clock.monotonicMs();
    const pending = this.#pending;
    if (pending !== undefined && !marksCome && nowMs >= pending.deadlineMonotonicMs) this.#finish();
    if (this.#stopped || this.#isOut || !mayStart) return;
    const isDue = nowMs >= Math.min(this.#dueMonotonicMs, this.#lossDueMonotonicMs ?? Infinity);
    if (isDue) void this.#dump();
  }

  /**
   * Whether a table was being read at any time since the last call. Reading makes the kernel clear
   * out what has timed out, all at once: losses then are no sign of steady overload.
   */
  takeRan(): boolean {
    const ran = this.#ran;
    this.#ran = this.#reading !== undefined;
    return ran;
  }

  /** All events from before this mark were read. */
  markRead(mark: Mark): void {
    if (this.#pending !== undefined && mark.number >= this.#pending.mark.number) this.#finish();
  }

  /** Events were missed: a dump in progress proves nothing, the next is due at once. */
  interrupt(): void {
    this.#dueMonotonicMs = 0;
    this.#abandon();
  }

  /** No more is read, and nothing of what was takes effect. */
  stop(): void {
    this.#stopped = true;
    this.#abandon();
  }

  /**
   * The kernel dropped events: soon after the last loss a dump finds what ended unheard. What a dump
   * itself makes the kernel drop asks for the next one later, or one would bring on the other.
   */
  eventsLost(): void {
    const quietMs = this.#isOut ? LOSS_AGAIN_MS : LOSS_QUIET_MS;
    const dueMs = this.#options.clock.monotonicMs() + quietMs;
    this.#lossDueMonotonicMs = Math.max(this.#lossDueMonotonicMs ?? 0, dueMs);
  }

  /** The table is being read, or the mark behind it has not come. */
  get #isOut(): boolean {
    return this.#reading !== undefined || this.#pending !== undefined;
  }

  async #dump(): Promise<void> {
    const { clock, tracker, fence, command, warn } = this.#options;
    const reading = new AbortController();
    this.#reading = reading;
    this.#ran = true;
    this.#dueMonotonicMs = clock.monotonicMs() + DUMP_INTERVAL_MS;
    this.#lossDueMonotonicMs = undefined;
    tracker.beginDump();
    const { failure } = await dumpTable(
      command,
      (event) => tracker.dumpEntry(event),
      reading.signal,
    );
    if (reading.signal.aborted) return;
    this.#reading = undefined;
    if (failure === undefined) {
      const deadlineMonotonicMs = clock.monotonicMs() + DUMP_FENCE_WAIT_MS;
      this.#pending = { mark: fence.provoke(), deadlineMonotonicMs };
    } else {
      tracker.abandonDump();
      warn(`the connection table could not be read: ${failure}`);
    }
  }

  #abandon(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    this.#pending = undefined;
    this.#options.tracker.abandonDump();
  }

  #finish(): void {
    this.#pending = undefined;
    this.#options.tracker.endDump();
  }
}
