/**
 * One `conntrack -E` process: its lines as events, its losses by the kernel's count, its end.
 *
 * The process writes one line at a time. Waking up for each would cost more than reading it, so
 * after a small read the pipe is left alone for a moment; while much arrives it never is.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../../std/clock.ts";
import { parseConntrackLine, type ConntrackEvent } from "./conntrack-line.ts";
import { KernelDrops } from "./kernel-drops.ts";
import { LINE_CHARS_MAX } from "./limits.ts";

export type Events = "all" | "ends";

export interface EventReaderOptions {
  readonly clock: Clock;
  /** Program and leading arguments; `["conntrack"]`. */
  readonly command: readonly string[];
  readonly events: Events;
  readonly onEvent: (event: ConntrackEvent, atMs: number) => void;
  /** Once, when the process is gone and its last line was read. */
  readonly onEnd: (reason: string) => void;
}

/** A read below this many bytes means that little is happening. */
const SMALL_READ_BYTES = 4096;
const READ_PAUSE_MS = 10;
const NEWLINE = 0x0a;

export class EventReader {
  readonly events: Events;
  readonly startedAtMs: number;
  readonly #options: EventReaderOptions;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #drops: KernelDrops;
  #reported = 0;
  #carry: Buffer = EMPTY;
  #held = false;
  #stopped = false;
  /** Lines that were not understood. */
  refused = 0;
  /** The process said that it lost events; reset by whoever reads it. */
  saidOverflow = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.events = options.events;
    this.startedAtMs = options.clock.nowMs();
    const [program = "conntrack", ...leading] = options.command;
    const filter = options.events === "ends" ? ["-e", "NEW,DESTROY"] : [];
    const args = [...leading, "-E", "-o", "timestamp,extended,id", ...filter];
    this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#drops = new KernelDrops(this.#child.pid ?? -1);
    this.#child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#listenToTrouble();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True once the process's socket receives events. */
  get isListening(): boolean {
    return this.#drops.isListening;
  }

  /** Events that the kernel dropped since the last call. */
  takeDrops(): number {
    const total = this.#drops.read();
    if (total === undefined || total <= this.#reported) return 0;
    const dropped = total - this.#reported;
    this.#reported = total;
    return dropped;
  }

  /** Leaves the pipe full: the kernel queues, then drops and counts. */
  hold(): void {
    this.#held = true;
    this.#child.stdout.pause();
  }

  release(): void {
    this.#held = false;
    this.#child.stdout.resume();
  }

  /** Nothing more is delivered, `onEnd` is not called. */
  stop(): void {
    this.#stopped = true;
    this.#child.kill("SIGKILL");
  }

  #read(chunk: Buffer): void {
    if (this.#stopped) return;
    const shiftMs = clockShiftMs(this.#options.clock);
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0 || this.#stopped) break;
      this.#line(bytes, { start, end, shiftMs });
      start = end + 1;
    }
    this.#keepRest(bytes.subarray(start));
    if (chunk.length < SMALL_READ_BYTES) this.#rest();
  }

  #line(
    bytes: Buffer,
    { start, end, shiftMs }: { start: number; end: number; shiftMs: number },
  ): void {
    const event = parseConntrackLine(bytes, start, end);
    if (event.type === "refused") {
      this.refused++;
      return;
    }
    const atMs = event.atMs === undefined ? this.#options.clock.nowMs() : event.atMs + shiftMs;
    this.#options.onEvent(event, atMs);
  }

  #keepRest(rest: Buffer): void {
    if (rest.length > LINE_CHARS_MAX) {
      this.refused++;
      this.#carry = EMPTY;
    } else this.#carry = rest.length === 0 ? EMPTY : Buffer.from(rest);
  }

  #rest(): void {
    this.#child.stdout.pause();
    this.#options.clock.after(READ_PAUSE_MS, () => {
      if (!this.#held) this.#child.stdout.resume();
    });
  }

  #listenToTrouble(): void {
    let said = "";
    this.#child.stderr.setEncoding("utf8");
    this.#child.stderr.on("data", (text: string) => {
      said = (said + text).slice(-1000);
      if (text.includes("ENOBUFS")) this.saidOverflow = true;
    });
    let ended = false;
    const end = (reason: string): void => {
      if (ended || this.#stopped) return;
      ended = true;
      this.#options.onEnd(reason);
    };
    this.#child.on("error", (error) => end(error.message));
    this.#child.on("close", (code, signal) => {
      const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
      end(said.trim() === "" ? how : `${how}: ${said.trim()}`);
    });
  }
}

const EMPTY = Buffer.alloc(0);

/** The process stamps with the machine's clock; this node's clock may be set apart from it. */
function clockShiftMs(clock: Clock): number {
  const shiftMs = clock.nowMs() - Date.now();
  return Math.abs(shiftMs) < 2 ? 0 : shiftMs;
}
