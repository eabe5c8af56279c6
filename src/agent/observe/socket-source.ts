/**
 * Keeps one reader of ended sockets running, as long as the machine can spare it. What it misses is
 * no gap: it adds to connections that are recorded without it. The agent's log says whether it runs.
 */
import { spawnSync } from "node:child_process";
import type { Clock, Timer } from "../../std/clock.ts";
import type { LogEntry } from "../../format/entry.ts";
import { SOCKET_CONFIRM_MS, SOCKET_RESTART_MAX_MS, SOCKET_RESTART_MIN_MS } from "./limits.ts";
import { parseSocketLine, type SocketEnd } from "./socket-line.ts";
import { SocketReader } from "./socket-reader.ts";

export interface SocketSourceOptions {
  readonly clock: Clock;
  readonly emit: (entry: LogEntry) => number;
  readonly onSocketEnd: (end: SocketEnd) => void;
  /** Program and arguments. Default: `ss` from iproute2. */
  readonly command?: readonly string[];
}

/** What talks to itself is recorded by nobody, and may be most of what a machine does. */
const NOT_LOOPBACK = "not src 127.0.0.0/8 and not src [::1]";
/** Ended TCP sockets, with counters, numeric, one line each, without a heading. */
const COMMAND = ["stdbuf", "-oL", "ss", "-E", "-t", "-i", "-n", "-O", "-H", NOT_LOOPBACK] as const;

/** For the facts of a start: `iproute2-6.1.0`; undefined where there is no `ss`, and so no payload bytes. */
export function socketToolVersion(): string | undefined {
  const { status, stdout } = spawnSync("ss", ["-V"], { encoding: "latin1", timeout: 2000 });
  if (status !== 0) return undefined;
  return /iproute2-\S+/.exec(stdout)?.[0] ?? "unknown version";
}

export class SocketSource {
  readonly #options: SocketSourceOptions;
  #reader: SocketReader | undefined;
  #timer: Timer | undefined;
  #restartDelayMs = SOCKET_RESTART_MIN_MS;
  #startedMonotonicMs = 0;
  #isMissing = false;
  #isStopped = false;
  /** As the log has it. */
  #saidToRun = false;
  #saidReason = "";

  constructor(options: SocketSourceOptions) {
    this.#options = options;
  }

  /** Process id of the reader, for tests that end it. */
  get pid(): number | undefined {
    return this.#reader?.pid;
  }

  start(): void {
    if (this.#reader !== undefined || this.#isMissing || this.#isStopped) return;
    this.#timer?.cancel();
    this.#startedMonotonicMs = this.#options.clock.monotonicMs();
    try {
      this.#reader = this.#newReader();
      this.#timer = this.#options.clock.after(SOCKET_CONFIRM_MS, () => this.#sayItRuns());
    } catch (error) {
      this.#ended(String(error), false);
    }
  }

  /** The machine has no time for it. */
  pause(): void {
    this.#timer?.cancel();
    if (this.#reader === undefined) return;
    this.#reader.stop();
    this.#reader = undefined;
    if (this.#saidToRun) this.#log(9, "payload bytes are not read while the machine is under load");
    this.#saidToRun = false;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#reader?.stop();
    this.#reader = undefined;
  }

  #sayItRuns(): void {
    if (!this.#saidToRun) this.#log(9, "payload bytes of ended TCP connections are read");
    this.#saidToRun = true;
  }

  #newReader(): SocketReader {
    const { clock, onSocketEnd, command = COMMAND } = this.#options;
    return new SocketReader({
      clock,
      command,
      onLine: (line) => {
        const end = parseSocketLine(line);
        if (end !== undefined) onSocketEnd(end);
      },
      onEnd: (reason, isMissing) => this.#ended(reason, isMissing),
    });
  }

  #ended(reason: string, isMissing: boolean): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#reader = undefined;
    this.#isMissing = isMissing;
    if (isMissing) return this.#log(13, `payload bytes are not read: ${reason}`);
    const ranMs = clock.monotonicMs() - this.#startedMonotonicMs;
    if (ranMs >= SOCKET_RESTART_MAX_MS) this.#restartDelayMs = SOCKET_RESTART_MIN_MS;
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(SOCKET_RESTART_MAX_MS, delayMs * 2);
    this.#sayItEnded(reason, delayMs);
    this.#timer = clock.after(delayMs, () => this.start());
  }

  /** One that ends at once for the same reason each time is told once. */
  #sayItEnded(reason: string, delayMs: number): void {
    const isNews = this.#saidToRun || reason !== this.#saidReason;
    this.#saidToRun = false;
    this.#saidReason = reason;
    if (!isNews) return;
    this.#log(
      13,
      `the reader of payload bytes ended, and is started again in ${delayMs / 1000} s: ${reason}`,
    );
  }

  #log(severity: number, body: string): void {
    const { clock, emit } = this.#options;
    emit({ kind: "log", severity, body, attributes: { part: "observe" }, atMs: clock.nowMs() });
  }
}
