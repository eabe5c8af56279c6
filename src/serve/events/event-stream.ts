/**
 * One client's stream: what it has been given, and how far. It is written to while it reads; when it
 * leaves too much unread it is stalled, keeps its place, and says so when it reads again.
 */
import { Readable } from "node:stream";
import { eventText, heartbeatText, type Event } from "./event-text.ts";
import { BUFFER_BYTES_MAX } from "./limits.ts";

/** A change, as all who watch the same are given it. */
export interface Change {
  readonly text: string;
  /** The cursor after it. */
  readonly place: string;
}

/** What one stream gave in all. */
export interface Given {
  readonly rows: number;
  readonly bytes: number;
  readonly dropped: number;
}

export interface EventStreamOptions {
  /** The cursor after which it begins. */
  readonly place: string;
  /** There is something before now to make up for, however much. */
  readonly isResumed: boolean;
  /** It reads again. */
  readonly onDrained: () => void;
  /** Once, however it ends. */
  readonly onEnd: (given: Given) => void;
}

export class EventStream {
  readonly body: Readable;
  readonly #options: EventStreamOptions;
  #place: string;
  #rows = 0;
  #bytes = 0;
  #dropped = 0;
  #isStalled = false;
  #isWaiting = false;
  #hasEnded = false;
  /** Since when there was more than it was given, monotonic; undefined also while it makes up for what was before it. */
  behindSinceMs: number | undefined;
  /** It was given all there was, once. */
  #isLive: boolean;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#place = options.place;
    this.#isLive = !options.isResumed;
    this.body = new Readable({ read: () => this.#read() });
    this.body.once("close", () => this.end());
    this.#hello();
  }

  /** The cursor after all that it was given. */
  get place(): string {
    return this.#place;
  }

  get takesMore(): boolean {
    return !this.#isStalled && !this.#hasEnded;
  }

  /** Whether it was given all there was, at this time. */
  stands(isAtEnd: boolean, nowMs: number): void {
    if (isAtEnd) this.behindSinceMs = undefined;
    else if (this.#isLive) this.behindSinceMs ??= nowMs;
    this.#isLive ||= isAtEnd;
  }

  /** In their order, as many as fit; `end` is the cursor after all of them. */
  give(changes: readonly Change[], end: string): void {
    this.#goOn();
    for (const { text, place } of changes) {
      if (!this.takesMore) return;
      this.#push(text);
      this.#rows++;
      this.#place = place;
    }
    if (this.takesMore) this.#place = end;
  }

  /** Says what it is not given: all after its place, up to `end`. */
  drop(count: number, end: string): void {
    this.#goOn();
    this.#dropped += count;
    const data = { count, from: this.#place, to: end };
    this.#place = end;
    this.#say({ event: "dropped", id: end, data });
  }

  /** Nothing can be given now; said once, until something can. */
  wait(): void {
    if (this.#isWaiting || !this.takesMore) return;
    this.#isWaiting = true;
    this.#say({ event: "waiting", data: { reason: "the store does not answer" } });
  }

  heartbeat(): void {
    if (this.takesMore) this.#push(heartbeatText(this.#place));
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.body.push(null);
    this.#options.onEnd({ rows: this.#rows, bytes: this.#bytes, dropped: this.#dropped });
  }

  #goOn(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#hello();
  }

  #hello(): void {
    this.#say({ event: "hello", id: this.#place, data: { cursor: this.#place } });
  }

  #say(event: Event): void {
    this.#push(eventText(event));
  }

  #push(text: string): void {
    if (this.#hasEnded) return;
    this.#bytes += Buffer.byteLength(text);
    this.body.push(text);
    this.#isStalled = this.body.readableLength > BUFFER_BYTES_MAX;
  }

  #read(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    // Not within the reader's own turn: what is given now would be read recursively.
    queueMicrotask(this.#options.onDrained);
  }
}
