/**
 * One `conntrack -E` process: its lines as events, its losses by the kernel's count, its end.
 *
 * The process writes one line at a time. The pipe is polled: a few dozen times a second while
 * little happens, without pause while much does.
 */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { setPriority } from "node:os";
import type { Clock } from "../../std/clock.ts";
import { parseConntrackLine, type ConntrackEvent } from "./conntrack-line.ts";
import { KernelDrops } from "./kernel-drops.ts";
import { LINE_BYTES_MAX } from "./limits.ts";
import { PrivatePipe, withLargePipe } from "./private-pipe.ts";

export type Events = "all" | "ends";

export interface Drops {
  readonly count: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface EventReaderOptions {
  readonly clock: Clock;
  /** Program and leading arguments; `["conntrack"]`. */
  readonly command: readonly string[];
  readonly events: Events;
  readonly onEvent: (event: ConntrackEvent, atMs: number) => void;
  /** Once, when the process is gone and its last line was read. */
  readonly onEnd: (reason: string) => void;
}

/** Read at once; a read of more than the second figure is followed by another without pause. */
const READ_BYTES = 65_536;
const BUSY_READ_BYTES = 16_384;
/** The smallest pipe (64 KiB) lasts for 27,000 events a second at this pace. */
const POLL_MS = 10;
/** While a read brings less than this, the pace below is kept: each look at an empty pipe costs some 50 µs. */
const FEW_READ_BYTES = 4096;
/** A large pipe lasts for 100,000 events a second at this pace; only with one. */
const CALM_POLL_MS = 40;
const READER_NICE = -5;
const NEWLINE = 0x0a;

export class EventReader {
  readonly events: Events;
  readonly #options: EventReaderOptions;
  readonly #pipe: PrivatePipe;
  readonly #child: ChildProcess;
  readonly #drops: KernelDrops;
  readonly #hasLargePipe: boolean;
  /** Read bytes, begun by what was left of a line. */
  readonly #buffer = Buffer.alloc(LINE_BYTES_MAX + READ_BYTES);
  #leftBytes = 0;
  #reported = 0;
  /** Unix ms when the kernel's count was last read; before that, when the process was started. */
  #countedAtMs: number;
  #held = false;
  #ended = false;
  #refused = 0;

  /** Throws when the pipe cannot be made; a process that cannot be started ends at once. */
  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.events = options.events;
    this.#countedAtMs = options.clock.nowMs();
    this.#pipe = new PrivatePipe();
    const command = withLargePipe(options.command);
    this.#hasLargePipe = command !== options.command;
    const [program = "conntrack", ...leading] = command;
    const filter = options.events === "ends" ? ["-e", "NEW,DESTROY"] : [];
    const args = [...leading, "-E", "-o", "timestamp,extended,id", ...filter];
    const stdio: StdioOptions = ["ignore", this.#pipe.writeFd, "pipe"];
    this.#child = spawn(program, args, { stdio });
    this.#pipe.handedOver();
    preferOthersLess(this.#child.pid);
    this.#drops = new KernelDrops(this.#child.pid ?? -1);
    this.#awaitEnd();
    setImmediate(() => this.#poll());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True once the process's socket receives events. */
  get isListening(): boolean {
    return this.#drops.isListening;
  }

  /** Lines that were not understood. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Events that the kernel dropped since its count was last read, and the time that spans, Unix ms.
   * Where the count cannot be read, what it will show belongs to the time since it last could.
   */
  takeDrops(): Drops {
    const toMs = this.#options.clock.nowMs();
    const fromMs = Math.min(this.#countedAtMs, toMs);
    const total = this.#drops.read();
    if (total === undefined) return { count: 0, fromMs, toMs };
    const count = Math.max(0, total - this.#reported);
    this.#reported += count;
    this.#countedAtMs = toMs;
    return { count, fromMs, toMs };
  }

  /** Leaves the pipe full: the kernel queues, then drops and counts. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }

  /** Nothing more is delivered, `onEnd` is not called. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#child.kill("SIGKILL");
    this.#pipe.close();
  }

  #poll(): void {
    if (this.#ended) return;
    const readBytes = this.#held ? 0 : this.#read();
    if (readBytes >= BUSY_READ_BYTES) setImmediate(() => this.#poll());
    else {
      const isCalm = this.#hasLargePipe && readBytes < FEW_READ_BYTES;
      this.#options.clock.after(isCalm ? CALM_POLL_MS : POLL_MS, () => this.#poll());
    }
  }

  #read(): number {
    const room = this.#buffer.subarray(this.#leftBytes, this.#leftBytes + READ_BYTES);
    const readBytes = this.#pipe.read(room);
    if (readBytes > 0) this.#deliver(this.#leftBytes + readBytes);
    return readBytes;
  }

  #deliver(filledBytes: number): void {
    const filled = this.#buffer.subarray(0, filledBytes);
    const shiftMs = clockShiftMs(this.#options.clock);
    let start = 0;
    for (;;) {
      const end = filled.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#line({ start, end, shiftMs });
      if (this.#ended) return;
      start = end + 1;
    }
    this.#leftBytes = filledBytes - start;
    this.#buffer.copyWithin(0, start, filledBytes);
    if (this.#leftBytes <= LINE_BYTES_MAX) return;
    this.#refused++;
    this.#leftBytes = 0;
  }

  #line({ start, end, shiftMs }: { start: number; end: number; shiftMs: number }): void {
    const event = parseConntrackLine(this.#buffer, start, end);
    if (event.type === "refused") {
      this.#refused++;
      return;
    }
    const atMs = event.atMs === undefined ? this.#options.clock.nowMs() : event.atMs + shiftMs;
    this.#options.onEvent(event, atMs);
  }

  #awaitEnd(): void {
    let said = "";
    this.#child.stderr?.setEncoding("utf8");
    this.#child.stderr?.on("data", (text: string) => (said = (said + text).slice(-500)));
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("close", (code, signal) => {
      const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
      this.#end(said.trim() === "" ? how : `${how}: ${said.trim()}`);
    });
  }

  #end(reason: string): void {
    while (!this.#ended && this.#read() > 0);
    if (this.#ended) return;
    this.#ended = true;
    this.#pipe.close();
    this.#options.onEnd(reason);
  }
}

/**
 * The kernel's queue holds some 170 events: ten milliseconds of waiting for a busy processor lose
 * some. So the process goes a little before others, as auditd does; it needs little itself.
 */
function preferOthersLess(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, READER_NICE);
  } catch {
    // Not allowed without privilege: then it takes its turn.
  }
}

/** The process stamps with the machine's clock; this node's clock may be set apart from it. */
function clockShiftMs(clock: Clock): number {
  const shiftMs = clock.nowMs() - Date.now();
  return Math.abs(shiftMs) < 2 ? 0 : shiftMs;
}
