/**
 * The agent's own log: each record is an entry of the stream and a JSON line in a local file.
 * Bounded in rate: what is over is counted, and the count is a record of its own. Callers never pass
 * secrets; keys are not even known to the code that logs.
 */
import { chmodSync, closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LogEntry } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import { makeDirectory } from "../std/make-directory.ts";
import { LOG_BURST, LOG_FILE_BYTES_MAX, LOG_PER_SECOND } from "./limits.ts";

export type Level = "debug" | "info" | "warn" | "error";
export type Attributes = Readonly<Record<string, string | number | boolean>>;

const SEVERITY = { debug: 5, info: 9, warn: 13, error: 17 } as const satisfies Record<
  Level,
  number
>;
const BODY_CHARS_MAX = 2000;

export interface AgentLogOptions {
  readonly clock: Clock;
  readonly directory: string;
  /** Records below are not made. */
  readonly level: Level;
  /** A line for the person at the terminal. */
  readonly print?: ((line: string) => void) | undefined;
}

export class AgentLog {
  readonly #options: AgentLogOptions;
  #emit: ((entry: LogEntry) => void) | undefined;
  #fd: number | undefined;
  #bytes = 0;
  #tokens = LOG_BURST;
  #refilledMs: number;
  #suppressed = 0;

  constructor(options: AgentLogOptions) {
    this.#options = options;
    this.#refilledMs = options.clock.monotonicMs();
  }

  /** From now on records are entries too. */
  attach(emit: ((entry: LogEntry) => void) | undefined): void {
    this.#emit = emit;
  }

  debug(body: string, attributes: Attributes = {}): void {
    this.#record("debug", body, attributes);
  }

  info(body: string, attributes: Attributes = {}): void {
    this.#record("info", body, attributes);
  }

  warn(body: string, attributes: Attributes = {}): void {
    this.#record("warn", body, attributes);
  }

  error(body: string, attributes: Attributes = {}): void {
    this.#record("error", body, attributes);
  }

  /** Shows here what a source says in an entry of its own: whoever starts the agent must see that it sees nothing. */
  echo({ atMs, severity, body }: LogEntry): void {
    if (severity < SEVERITY.warn || !this.#takeToken()) return;
    const level = severity < SEVERITY.error ? "warn" : "error";
    this.#writeLine(JSON.stringify({ time: new Date(atMs).toISOString(), level, body }));
    this.#options.print?.(`${level}: ${body}`);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #record(level: Level, body: string, attributes: Attributes): void {
    if (SEVERITY[level] < SEVERITY[this.#options.level]) return;
    if (!this.#takeToken()) {
      this.#suppressed++;
      return;
    }
    if (this.#suppressed > 0) {
      const count = this.#suppressed;
      this.#suppressed = 0;
      this.#put("warn", `${count} records of the agent's own log were left out: too many at once`, {
        count,
      });
    }
    this.#put(level, body, attributes);
  }

  #put(level: Level, text: string, attributes: Attributes): void {
    const atMs = this.#options.clock.nowMs();
    const body = text.slice(0, BODY_CHARS_MAX);
    this.#emit?.({
      kind: "log",
      atMs,
      severity: SEVERITY[level],
      body,
      attributes: { source: "tallystick-agent", ...attributes },
    });
    this.#writeLine(
      JSON.stringify({ time: new Date(atMs).toISOString(), level, body, ...attributes }),
    );
    this.#options.print?.(`${level}: ${body}`);
  }

  #takeToken(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const earned = ((nowMs - this.#refilledMs) / 1000) * LOG_PER_SECOND;
    this.#tokens = Math.min(LOG_BURST, this.#tokens + earned);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** The local copy is a convenience: a full disk must not stop the agent over it. */
  #writeLine(line: string): void {
    try {
      this.#fd ??= this.#openFile();
      this.#bytes += writeSync(this.#fd, `${line}\n`);
      if (this.#bytes >= LOG_FILE_BYTES_MAX) this.#rotate();
    } catch {
      this.close();
    }
  }

  #openFile(): number {
    const { directory } = this.#options;
    makeDirectory(directory);
    const path = join(directory, "agent.log");
    const fd = openSync(path, "a", 0o600);
    chmodSync(path, 0o600);
    this.#bytes = statSync(path).size;
    return fd;
  }

  #rotate(): void {
    this.close();
    const path = join(this.#options.directory, "agent.log");
    renameSync(path, `${path}.1`);
  }
}
