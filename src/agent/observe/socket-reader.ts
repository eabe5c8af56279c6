/**
 * One `ss -E` process: each TCP socket that is gone, as a line. Its text is polled a few times a
 * second: nobody waits for it.
 *
 * `ss` keeps its text back until a block is full, unless it writes to a terminal; `stdbuf`, which is
 * where `ls` is, makes it write lines.
 */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { setPriority } from "node:os";
import type { Clock, Timer } from "../../std/clock.ts";
import { LINE_BYTES_MAX } from "./limits.ts";
import { PrivatePipe, withLargePipe } from "./private-pipe.ts";

export interface SocketReaderOptions {
  readonly clock: Clock;
  /** Program and its arguments. */
  readonly command: readonly string[];
  readonly onLine: (line: string) => void;
  /** Once, when the process is gone and its last line was read. */
  readonly onEnd: (reason: string, isMissing: boolean) => void;
}

const READ_BYTES = 65_536;
/** A large pipe holds 2,500 lines: it lasts for 10,000 connections a second. */
const POLL_MS = 250;
/** A small one holds 150. */
const SMALL_POLL_MS = 20;
const NEWLINE = 0x0a;
/** Behind the agent, which has 5: nothing is lost for good by coming late. */
const READER_NICE = 10;
/** What a shell, and what `stdbuf` says of a program that is not there or may not be run. */
const NOT_STARTED: ReadonlySet<number | null> = new Set([126, 127]);

export class SocketReader {
  readonly #options: SocketReaderOptions;
  readonly #pipe: PrivatePipe;
  readonly #child: ChildProcess;
  readonly #pollMs: number;
  /** Read bytes, begun by what was left of a line. */
  readonly #buffer = Buffer.alloc(LINE_BYTES_MAX + READ_BYTES);
  #leftBytes = 0;
  #timer: Timer | undefined;
  #ended = false;

  /** Throws when the pipe cannot be made; a process that cannot be started ends at once. */
  constructor(options: SocketReaderOptions) {
    this.#options = options;
    this.#pipe = new PrivatePipe();
    const command = withLargePipe(options.command);
    this.#pollMs = command === options.command ? SMALL_POLL_MS : POLL_MS;
    const [program = "", ...args] = command;
    const stdio: StdioOptions = ["ignore", this.#pipe.writeFd, "pipe"];
    // Numbers and names as the parser knows them, whatever language the machine speaks.
    this.#child = spawn(program, args, { stdio, env: { ...process.env, LC_ALL: "C" } });
    this.#pipe.handedOver();
    goBehind(this.#child.pid);
    this.#awaitEnd();
    this.#poll();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Nothing more is delivered, `onEnd` is not called. */
  stop(): void {
    if (this.#ended) return;
    this.#close();
    this.#child.kill("SIGKILL");
  }

  #close(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#pipe.close();
  }

  #poll(): void {
    if (this.#ended) return;
    while (this.#read() === READ_BYTES);
    this.#timer = this.#options.clock.after(this.#pollMs, () => this.#poll());
  }

  #read(): number {
    const room = this.#buffer.subarray(this.#leftBytes, this.#leftBytes + READ_BYTES);
    const readBytes = this.#pipe.read(room);
    if (readBytes > 0) this.#deliver(this.#leftBytes + readBytes);
    return readBytes;
  }

  #deliver(filledBytes: number): void {
    const filled = this.#buffer.subarray(0, filledBytes);
    let start = 0;
    for (let end = filled.indexOf(NEWLINE); end >= 0; end = filled.indexOf(NEWLINE, start)) {
      this.#options.onLine(filled.toString("latin1", start, end));
      start = end + 1;
    }
    this.#leftBytes = filledBytes - start;
    this.#buffer.copyWithin(0, start, filledBytes);
    // No line of ss is so long; what follows it is another line's end, and is not understood.
    if (this.#leftBytes > LINE_BYTES_MAX) this.#leftBytes = 0;
  }

  #awaitEnd(): void {
    let said = "";
    this.#child.stderr?.setEncoding("utf8");
    this.#child.stderr?.on("data", (text: string) => (said = (said + text).slice(-300)));
    this.#child.on("error", (error) => this.#end(error.message, true));
    this.#child.on("close", (code, signal) => {
      const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
      this.#end(said.trim() === "" ? how : `${how}: ${said.trim()}`, NOT_STARTED.has(code));
    });
  }

  #end(reason: string, isMissing: boolean): void {
    while (!this.#ended && this.#read() > 0);
    if (this.#ended) return;
    this.#close();
    this.#options.onEnd(reason, isMissing);
  }
}

function goBehind(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, READER_NICE);
  } catch {
    // It is gone already.
  }
}
