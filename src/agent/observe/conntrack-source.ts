/**
 * Keeps the tracker fed: one reader of the kernel's events at all times, a dump of the table at the
 * start, after each interruption and every five minutes, and the time up to which all was read.
 *
 * What can go wrong, and what the entries then say:
 * - the kernel drops events: `gap{overflow}` with the kernel's own count, before the time advances
 *   past them; then fewer kinds of events are read (`degraded`), until it is calm again; a dump
 *   finds what ended unheard;
 * - the reader ends: it is started again, `gap{restart}` spans what nobody heard, and a dump finds
 *   what began and ended meanwhile;
 * - the reader stops or lags, or loopback is not tracked: no mark is read, the time stands still.
 */
import type { Clock, Timer } from "../../std/clock.ts";
import type { DegradedEntry, GapEntry, LogEntry } from "../../format/entry.ts";
import type { ConntrackEvent } from "./conntrack-line.ts";
import { DumpSchedule, type DumpScheduleOptions } from "./dump-schedule.ts";
import { EventReader, type Events } from "./event-reader.ts";
import type { Fence, Mark } from "./fence.ts";
import { Handover } from "./handover.ts";
import {
  CHANGE_MS_MAX,
  FENCE_INTERVAL_MS,
  FENCE_STALL_MS,
  RESTART_DELAY_MAX_MS,
  RESTART_DELAY_MIN_MS,
  TICK_INTERVAL_MS,
} from "./limits.ts";
import { Pressure } from "./pressure.ts";
import type { Tracker } from "./tracker.ts";

export interface ConntrackSourceOptions {
  readonly clock: Clock;
  readonly emit: (entry: GapEntry | DegradedEntry | LogEntry) => number;
  readonly tracker: Pick<Tracker, "event" | "tick"> & DumpScheduleOptions["tracker"];
  readonly fence: Pick<
    Fence,
    "provoke" | "markOf" | "settle" | "forgetAll" | "lagMs" | "sendError"
  >;
  /** Program and leading arguments; `["conntrack"]`. */
  readonly command: readonly string[];
  /** Runs while a reader opens its socket; see host-settings.ts. Returns what to call when it is open. */
  readonly enlargeBuffer: () => () => void;
}

/** The overlap of two readers. */
interface Change {
  readonly next: EventReader;
  readonly handover: Handover;
  readonly reason: string;
  readonly begunMonotonicMs: number;
  /** The mark at which the old reader is done; sent once the next one has read its first. */
  last: Mark | undefined;
}

interface Repeats {
  readonly handover: Handover;
  readonly until: Mark;
}

const POLL_MS = 10;

export class ConntrackSource {
  readonly #options: ConntrackSourceOptions;
  readonly #pressure = new Pressure();
  readonly #dumps: DumpSchedule;
  #reader: EventReader | undefined;
  #change: Change | undefined;
  #repeats: Repeats | undefined;
  /** As in the last `degraded` entry. */
  #saidEvents: Events = "all";
  #timers: Timer[] = [];
  #stopped = false;
  #completeToMs = 0;
  /** When the reader was last seen to run; before that, the start. */
  #runningAtMs: number;
  #outageFromMs: number | undefined;
  #restartDelayMs = RESTART_DELAY_MIN_MS;
  #lastMarkMonotonicMs: number;
  #stallReported = false;
  #refusedReported = false;
  #counted = { read: 0, begun: 0, dropped: 0 };
  #tookSampleMonotonicMs: number;

  constructor(options: ConntrackSourceOptions) {
    this.#options = options;
    this.#dumps = new DumpSchedule({ ...options, warn: (body) => this.#warn(body) });
    this.#runningAtMs = options.clock.nowMs();
    this.#lastMarkMonotonicMs = options.clock.monotonicMs();
    this.#tookSampleMonotonicMs = this.#lastMarkMonotonicMs;
  }

  start(): void {
    this.#restart();
    this.#every(TICK_INTERVAL_MS, () => this.#tick());
    this.#every(FENCE_INTERVAL_MS, () => this.#second());
  }

  /** Unix ms: what happened before has been read and emitted, or is in a gap. 0 until first known. */
  completeToMs(): number {
    return this.#completeToMs;
  }

  /** Process id of the reader that counts, for tests that stop it. */
  get readerPid(): number | undefined {
    return this.#reader?.pid;
  }

  /** Waits until what happened before this call was read and emitted; at most `waitMs`, and not where no marks come. */
  async drain(waitMs: number): Promise<void> {
    const { clock, fence } = this.#options;
    if (this.#marksStalled() || this.#reader === undefined) return;
    const deadlineMs = clock.monotonicMs() + waitMs;
    const { sentAtMs } = fence.provoke();
    while (this.#completeToMs < sentAtMs && clock.monotonicMs() < deadlineMs) {
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
    }
  }

  /** Ends the readers, and a dump that is going on. What they had not delivered is lost, and so said if an outage was open. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#dumps.stop();
    if (this.#reader !== undefined) this.#reportDrops(this.#reader);
    this.#endOutage(this.#options.clock.nowMs());
    this.#change?.next.stop();
    this.#reader?.stop();
  }

  #startReader(events: Events): EventReader | undefined {
    const opened = this.#options.enlargeBuffer();
    try {
      const reader: EventReader = new EventReader({
        clock: this.#options.clock,
        command: this.#options.command,
        events,
        onEvent: (event, atMs) => this.#event(reader, event, atMs),
        onEnd: (reason) => this.#readerEnded(reader, reason),
      });
      this.#whenListening(reader, opened);
      return reader;
    } catch (error) {
      opened();
      this.#warn(`the event reader could not be started: ${String(error)}`);
      return undefined;
    }
  }

  #whenListening(reader: EventReader, call: () => void, attempts = 100): void {
    if (attempts === 0 || this.#stopped || reader.isListening) return call();
    this.#options.clock.after(10, () => this.#whenListening(reader, call, attempts - 1));
  }

  /** Marks in quick succession until the reader hears one: a second matters at the start. */
  #awaitFirstMark(): void {
    if (this.#stopped || this.#lastMarkSeen()) return;
    if (this.#reader?.isListening === true) this.#options.fence.provoke();
    if (this.#options.fence.lagMs() < FENCE_STALL_MS) {
      this.#options.clock.after(100, () => this.#awaitFirstMark());
    }
  }

  #lastMarkSeen(): boolean {
    return this.#completeToMs > 0 && this.#outageFromMs === undefined;
  }

  #event(reader: EventReader, event: ConntrackEvent, atMs: number): void {
    if (this.#change?.next === reader) {
      this.#eventOfNext(this.#change, event, atMs);
      return;
    }
    if (reader !== this.#reader) return;
    this.#counted.read++;
    if (event.type === "new") this.#counted.begun++;
    const mark = this.#options.fence.markOf(event);
    if (mark !== undefined) this.#markRead(reader, mark);
    if (this.#change !== undefined) this.#eventDuringChange(this.#change, event, atMs, mark);
    else if (!this.#isRepeat(event, mark)) this.#options.tracker.event(event, atMs);
  }

  #eventDuringChange(
    change: Change,
    event: ConntrackEvent,
    atMs: number,
    mark: Mark | undefined,
  ): void {
    if (mark === undefined) {
      this.#options.tracker.event(event, atMs);
      if (!change.handover.fromOld(event))
        this.#abandonChange(change, "too much happened meanwhile");
    } else if (change.last !== undefined && mark.number >= change.last.number) {
      // From here on the new reader delivers; what the old one still holds comes from there.
      if (this.#reader !== undefined) this.#reportDrops(this.#reader);
      this.#reader?.stop();
      this.#finishChange(change);
    }
  }

  #eventOfNext(change: Change, event: ConntrackEvent, atMs: number): void {
    if (this.#options.fence.markOf(event) === undefined) {
      if (!change.handover.fromNew(event, atMs)) change.next.hold();
    } else change.last ??= this.#options.fence.provoke();
  }

  #finishChange(change: Change): void {
    const { clock, tracker, fence, emit } = this.#options;
    this.#change = undefined;
    this.#reader = change.next;
    for (const { event, atMs } of change.handover.merge()) tracker.event(event, atMs);
    this.#repeats = { handover: change.handover, until: fence.provoke() };
    change.next.release();
    const { events } = change.next;
    this.#saidEvents = events;
    emit({ kind: "degraded", events, reason: change.reason, atMs: clock.nowMs() });
  }

  /**
   * The new reader is behind the old one until it reads a mark that was sent after the change: till
   * then it brings what was delivered, and changes of connections that have ended since.
   */
  #isRepeat(event: ConntrackEvent, mark: Mark | undefined): boolean {
    const repeats = this.#repeats;
    if (repeats === undefined) return false;
    if (mark !== undefined && mark.number >= repeats.until.number) this.#repeats = undefined;
    return event.type === "update" || repeats.handover.isRepeat(event);
  }

  #markRead(reader: EventReader, mark: Mark): void {
    this.#lastMarkMonotonicMs = this.#options.clock.monotonicMs();
    this.#reportDrops(reader);
    this.#endOutage(mark.sentAtMs);
    this.#options.fence.settle(mark);
    this.#dumps.markRead(mark);
    this.#completeToMs = Math.max(this.#completeToMs, mark.sentAtMs);
    this.#reportMarks();
  }

  #reportDrops(reader: EventReader): void {
    const { count, fromMs, toMs } = reader.takeDrops();
    if (count === 0) return;
    this.#options.emit({ kind: "gap", cause: "overflow", count, fromMs, toMs, atMs: toMs });
    this.#counted.dropped += count;
    this.#dumps.eventsLost();
  }

  #readerEnded(reader: EventReader, reason: string): void {
    if (this.#stopped) return;
    if (this.#change?.next === reader) {
      this.#change = undefined;
      this.#warn(`the second event reader ended: ${reason}`);
      return;
    }
    if (reader !== this.#reader) return;
    if (this.#change !== undefined) {
      this.#beginOutage();
      this.#finishChange(this.#change);
      return;
    }
    this.#warn(`the event reader ended: ${reason}`);
    this.#beginOutage();
    this.#reader = undefined;
    this.#restartLater();
  }

  #restartLater(): void {
    this.#options.clock.after(this.#restartDelayMs, () => this.#restart());
    this.#restartDelayMs = Math.min(RESTART_DELAY_MAX_MS, this.#restartDelayMs * 2);
  }

  /**
   * Since the last mark that it read, nobody knows what the reader did not deliver. Where no mark
   * ever came, nothing was claimed that could be taken back, and what is missing is what came after
   * it last ran: an outage since the start would say that nobody was there.
   */
  #beginOutage(): void {
    this.#outageFromMs ??= this.#completeToMs || this.#runningAtMs;
    this.#options.fence.forgetAll();
    this.#dumps.interrupt();
  }

  #restart(): void {
    if (this.#stopped) return;
    this.#reader = this.#startReader(this.#saidEvents);
    if (this.#reader === undefined) this.#restartLater();
    else this.#awaitFirstMark();
  }

  #endOutage(toMs: number): void {
    const fromMs = this.#outageFromMs;
    if (fromMs === undefined) return;
    this.#outageFromMs = undefined;
    this.#restartDelayMs = RESTART_DELAY_MIN_MS;
    const { clock, emit } = this.#options;
    const atMs = clock.nowMs();
    const endMs = Math.max(fromMs, toMs);
    emit({ kind: "gap", cause: "restart", count: null, fromMs, toMs: endMs, atMs });
  }

  #tick(): void {
    this.#options.tracker.tick();
    // Where no marks come back, an outage ends when the kernel queues for the new reader.
    if (this.#marksStalled() && this.#reader?.isListening === true) {
      this.#endOutage(this.#options.clock.nowMs());
    }
    this.#dumps.tick({ mayStart: this.#mayDump(), marksCome: this.#completeToMs > 0 });
  }

  /** A dump waits for the first mark; where none comes, for a reader that listens. */
  #mayDump(): boolean {
    if (this.#reader === undefined || this.#outageFromMs !== undefined) return false;
    return this.#completeToMs > 0 || (this.#marksStalled() && this.#reader.isListening);
  }

  #second(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#runningAtMs = this.#options.clock.nowMs();
    if (reader.isListening) this.#options.fence.provoke();
    this.#reportDrops(reader);
    if (this.#change !== undefined) this.#reportDrops(this.#change.next);
    this.#reportMarks();
    this.#reportRefused(reader);
    this.#decide();
  }

  #decide(): void {
    const { clock, fence } = this.#options;
    const nowMs = clock.monotonicMs();
    const seconds = Math.max(0.1, (nowMs - this.#tookSampleMonotonicMs) / 1000);
    const { read, begun, dropped } = this.#counted;
    this.#tookSampleMonotonicMs = nowMs;
    this.#counted = { read: 0, begun: 0, dropped: 0 };
    if (this.#change !== undefined) return this.#abandonLate(this.#change, nowMs);
    // A change ends at a mark: where none is read, there can be none.
    if (this.#outageFromMs !== undefined || !this.#marksCome()) return;
    const { events, reason } = this.#pressure.sample({
      dropped: this.#dumps.takeRan() ? 0 : dropped,
      read: Math.round(read / seconds),
      begun: Math.round(begun / seconds),
      lagMs: fence.lagMs(),
    });
    if (events !== this.#reader?.events) this.#changeTo(events, reason);
  }

  #changeTo(events: Events, reason: string): void {
    const next = this.#startReader(events);
    if (next === undefined) return;
    const why = reason === "" ? "decided before, when the reader could not be changed" : reason;
    this.#change = {
      next,
      handover: new Handover(),
      reason: why,
      begunMonotonicMs: this.#options.clock.monotonicMs(),
      last: undefined,
    };
  }

  /** The mark at which it would have ended was lost. */
  #abandonLate(change: Change, nowMs: number): void {
    if (nowMs - change.begunMonotonicMs < CHANGE_MS_MAX) return;
    this.#abandonChange(change, "no mark was read meanwhile");
  }

  /** The old reader goes on alone. */
  #abandonChange(change: Change, why: string): void {
    this.#change = undefined;
    change.next.stop();
    this.#warn(`the event reader could not be changed: ${why}`);
  }

  #marksCome(): boolean {
    return this.#completeToMs > 0 && !this.#marksStalled();
  }

  /** Once: another version of conntrack may print otherwise, and then nothing is right. */
  #reportRefused(reader: EventReader): void {
    if (this.#refusedReported || reader.refused === 0) return;
    this.#refusedReported = true;
    this.#warn(`lines of ${this.#options.command.join(" ")} -E were not understood`);
  }

  #marksStalled(): boolean {
    return this.#options.clock.monotonicMs() - this.#lastMarkMonotonicMs > FENCE_STALL_MS;
  }

  /** Says once that the time stands still, why as far as is known, and once that it goes on. */
  #reportMarks(): void {
    const stalled = this.#marksStalled();
    if (stalled === this.#stallReported) return;
    this.#stallReported = stalled;
    if (!stalled) this.#log(9, "marks are read again: the stream's completeness is known");
    else this.#warn(`no mark was read for ${FENCE_STALL_MS / 1000} s: ${this.#whyStalled()}`);
  }

  #whyStalled(): string {
    const { sendError } = this.#options.fence;
    if (this.#reader === undefined) return "the event reader does not run";
    if (sendError !== undefined) return `marks cannot be sent: ${sendError}`;
    return "loopback is not tracked by the kernel, or the event reader is stopped";
  }

  #warn(body: string): void {
    this.#log(13, body);
  }

  #log(severity: number, body: string): void {
    const { clock, emit } = this.#options;
    emit({ kind: "log", severity, body, attributes: { part: "observe" }, atMs: clock.nowMs() });
  }

  #every(intervalMs: number, call: () => void): void {
    const again = (): void => {
      if (this.#stopped) return;
      call();
      this.#options.clock.after(intervalMs, again);
    };
    this.#timers.push(this.#options.clock.after(intervalMs, again));
  }
}
