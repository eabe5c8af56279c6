/**
 * Runs planned statements on the embedded engine: one fresh connection each (0.3 ms), in its lane, killed when its caller leaves.
 * Temporary files live in one folder of the data directory, which is emptied at start.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  loadNativeEngine,
  type NativeConnection,
  type NativeEngine,
  type NativeResult,
} from "./engine-native.ts";
import { openLanes, type Lane, type LaneName } from "./engine-lanes.ts";
import { FaultError } from "./engine-fault.ts";
import { killSql, type Plan } from "./engine-statement.ts";

/** Parameters travel in the text here, and a statement's parser is bounded before the statement could say how. */
const connectionArguments = [`--max_query_size=${64 * 1024 * 1024}`];

export interface EngineOptions {
  readonly dataDir: string;
  /** Memory of all queries together, bytes. */
  readonly memoryMaxBytes: number;
  /** How long a guest's query may go on past its limit of time. */
  readonly overrunMaxMs: number;
}

export class EngineRunner {
  readonly tempDir: string;
  readonly #dataDir: string;
  readonly #native: NativeEngine;
  readonly #first: NativeConnection;
  readonly #lanes: Readonly<Record<LaneName, Lane>> = openLanes();
  readonly #running = new Set<string>();
  readonly #overrunMaxMs: number;
  readonly #onOverrun: (reason: string) => void;

  /**
   * Throws the engine's own error when the directory is unusable or another process has it open.
   * `onOverrun` is told of a query that nothing but the end of this process can end.
   */
  constructor(options: EngineOptions, onOverrun: (reason: string) => void) {
    this.#overrunMaxMs = options.overrunMaxMs;
    this.#onOverrun = onOverrun;
    const engineDir = join(options.dataDir, "engine");
    this.tempDir = join(options.dataDir, "tmp");
    this.#dataDir = engineDir;
    rmSync(this.tempDir, { recursive: true, force: true });
    for (const folder of [options.dataDir, engineDir, this.tempDir])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(options.dataDir, 0o700);
    this.#native = loadNativeEngine();
    this.#first = this.#native.CreateConnection(engineDir, serverArguments(options));
  }

  tempFile(): string {
    return join(this.tempDir, randomUUID());
  }

  /** Resolves with the engine's answer; when `signal` fires, the query is killed and the promise rejects soon after. */
  async run(plan: Plan, jobId: string, signal: AbortSignal): Promise<NativeResult> {
    return this.#lanes[plan.lane].run(signal, async () => {
      const kill = (): void => void this.#kill(jobId);
      signal.addEventListener("abort", kill, { once: true });
      try {
        const answer = this.#track(jobId, () => this.#once(plan.sql, plan.format));
        return plan.runMaxMs === undefined
          ? await answer
          : await this.#bounded(answer, plan.runMaxMs);
      } finally {
        signal.removeEventListener("abort", kill);
      }
    });
  }

  /** Kills what runs, waits for it, and closes the engine. Start nothing afterwards. */
  async close(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all([...this.#running].map((jobId) => this.#kill(jobId)));
    }
    this.#native.CloseConnection(this.#first);
  }

  /**
   * The engine looks at its limit between blocks of rows: nested functions over long arrays keep one
   * block busy for minutes, and no KILL QUERY ends them.
   */
  async #bounded(answer: Promise<NativeResult>, runMaxMs: number): Promise<NativeResult> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const reason = `a query could not be ended at its limit of ${runMaxMs / 1_000} s`;
      late.reject(new FaultError(159, "TIMEOUT_EXCEEDED", reason));
      this.#onOverrun(reason);
    }, runMaxMs + this.#overrunMaxMs);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #once(sql: string, format: string): Promise<NativeResult> {
    const connection = this.#native.CreateConnection(this.#dataDir, connectionArguments);
    try {
      return await this.#native.QueryAsyncConnection(connection, sql, format);
    } finally {
      this.#native.CloseConnection(connection);
    }
  }

  async #track<T>(jobId: string, work: () => Promise<T>): Promise<T> {
    this.#running.add(jobId);
    try {
      return await work();
    } finally {
      this.#running.delete(jobId);
    }
  }

  /** A kill that comes before the query is registered misses it, hence again until the query has ended. */
  async #kill(jobId: string): Promise<void> {
    while (this.#running.has(jobId)) {
      await this.#lanes.control
        .run(new AbortController().signal, () => this.#once(killSql(jobId), "Null"))
        .catch(() => undefined);
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
}

/** Bounds of the whole engine. The caches' defaults are made for machines with 5 GB and more to spare. */
function serverArguments(options: EngineOptions): string[] {
  const cacheBytes = Math.floor(options.memoryMaxBytes / 8);
  return [
    `--max_server_memory_usage=${options.memoryMaxBytes}`,
    `--mark_cache_size=${cacheBytes}`,
    `--uncompressed_cache_size=0`,
    `--max_thread_pool_size=200`,
    `--background_pool_size=2`,
    `--background_schedule_pool_size=4`,
    `--user_files_path=${join(options.dataDir, "tmp")}`,
  ];
}
