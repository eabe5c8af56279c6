/**
 * Keeps the embedded engine's process running: starts it, waits until it serves, starts it again after a crash with a growing pause, and
 * stops it. Port and password stay the same over restarts, so clients need not know.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "../std/clock.ts";
import { engineUser } from "./engine-auth.ts";
import type { ChildOrders } from "./engine-child.ts";
import { poolThreads } from "./engine-lanes.ts";
import { StoreError } from "./store-error.ts";

export interface EngineSettings {
  /** Made when missing, mode 0700; one process at a time. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** Memory of all queries together, bytes. Default: 2 GiB. */
  readonly memoryMaxBytes?: number;
  /** How long a guest's query may go on past its limit of time before the engine is started anew. Default: 30 s. */
  readonly overrunMaxMs?: number;
  /** Told of crashes and restarts; one line each. */
  readonly log?: (line: string) => void;
}

export interface EngineAddress {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

const pauseMinMs = 100;
const pauseMaxMs = 10_000;
/** A child that lived this long did not crash because of its start: the pause begins anew. */
const healthyMs = 60_000;
const startMaxMs = 60_000;
const stopMaxMs = 10_000;
/** One that does not serve yet has nothing to store. */
const startingStopMaxMs = 1_000;
const stderrMaxChars = 4_000;

export class Engine {
  readonly #settings: EngineSettings;
  readonly #password = randomBytes(32).toString("base64url");
  #port = 0;
  #child: ChildProcess | undefined;
  #ready = pending();
  #pauseMs = pauseMinMs;
  #restart: Timer | undefined;
  #closed = false;
  /** The child that runs has said that it serves. */
  #serves = false;
  /** An open store keeps the process alive, also while no child runs. */
  readonly #alive = setInterval(() => undefined, 2 ** 30);

  private constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves when the engine serves. `store_failed` when it cannot be started: a bad directory, or another process has it open. `gone` ends a
   * start that is under way: it rejects when the child is no more.
   */
  static async start(settings: EngineSettings, gone?: AbortSignal): Promise<Engine> {
    const engine = new Engine(settings);
    const leave = (): void => void engine.close();
    gone?.addEventListener("abort", leave, { once: true });
    try {
      gone?.throwIfAborted();
      await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
      await engine.#launch();
      return engine;
    } catch (cause) {
      clearInterval(engine.#alive);
      throw cause instanceof StoreError
        ? cause
        : new StoreError("store_failed", `the store's folder ${settings.dataDir} cannot be used`, {
            cause,
          });
    } finally {
      gone?.removeEventListener("abort", leave);
    }
  }

  get address(): EngineAddress {
    return {
      url: `http://127.0.0.1:${this.#port}`,
      username: engineUser,
      password: this.#password,
    };
  }

  /** Process id of the child while it runs; another one after a restart. */
  get pid(): number | undefined {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null
      ? undefined
      : child.pid;
  }

  /** Resolves when the engine serves, at once if it does. Rejects with `store_closed`, or `store_unavailable` after `waitMaxMs`. */
  async ready(waitMaxMs: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = this.#settings.clock.after(waitMaxMs, () =>
      late.reject(
        new StoreError("store_unavailable", "the store's engine is restarting; try again"),
      ),
    );
    try {
      await Promise.race([this.#ready.promise, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** Ends the child: what it has answered is stored, what still runs is cancelled. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#alive);
    this.#restart?.cancel();
    this.#ready.reject(new StoreError("store_closed", "the store is closed"));
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.stdin?.end();
    const timer = this.#settings.clock.after(this.#serves ? stopMaxMs : startingStopMaxMs, () =>
      child.kill("SIGKILL"),
    );
    await exited;
    timer.cancel();
  }

  async #launch(): Promise<void> {
    if (this.#closed) throw new StoreError("store_closed", "the store is closed");
    this.#serves = false;
    const startedMs = this.#settings.clock.monotonicMs();
    const child = spawnChild(this.#settings.dataDir);
    this.#child = child;
    const stderr = tailOf(child);
    const exited = Promise.withResolvers<never>();
    exited.promise.catch(() => undefined);
    child.on("exit", (code, signal) => {
      const how = signal ?? `status ${code}`;
      exited.reject(
        new StoreError(
          "store_failed",
          `the store's engine ended with ${how}: ${stderr().trim() || "no message"}`,
        ),
      );
    });
    child.on("error", (cause) =>
      exited.reject(
        new StoreError("store_failed", "the store's engine could not be started", { cause }),
      ),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.write(`${JSON.stringify(this.#orders())}\n`);
    this.#port = await this.#firstLine(child, exited.promise);
    this.#serves = true;
    this.#ready.resolve();
    exited.promise.catch((error: StoreError) => this.#crashed(error, startedMs));
  }

  async #firstLine(child: ChildProcess, exited: Promise<never>): Promise<number> {
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    const timer = this.#settings.clock.after(startMaxMs, () => child.kill("SIGKILL"));
    try {
      const [line] = (await Promise.race([once(lines, "line"), exited])) as [string];
      return Number(/^ready (\d+)$/.exec(line)?.[1]);
    } finally {
      timer.cancel();
    }
  }

  #orders(): ChildOrders {
    const { dataDir, memoryMaxBytes = 2 * 1024 ** 3, overrunMaxMs = 30_000 } = this.#settings;
    return { dataDir, memoryMaxBytes, overrunMaxMs, password: this.#password, port: this.#port };
  }

  #crashed(error: StoreError, startedMs: number): void {
    if (this.#closed) return;
    if (this.#settings.clock.monotonicMs() - startedMs >= healthyMs) this.#pauseMs = pauseMinMs;
    this.#ready = pending();
    this.#relaunchSoon(error);
  }

  async #relaunch(): Promise<void> {
    try {
      await this.#launch();
    } catch (error) {
      this.#relaunchSoon(error as Error);
    }
  }

  #relaunchSoon(error: Error): void {
    if (this.#closed) return;
    this.#settings.log?.(`${error.message}; starting it again in ${this.#pauseMs} ms`);
    this.#restart = this.#settings.clock.after(this.#pauseMs, () => void this.#relaunch());
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMaxMs);
  }
}

/** A promise whose rejection nobody needs to hear. */
function pending(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

/** The child's environment holds nothing of ours: its queries are other people's. */
function spawnChild(dataDir: string): ChildProcess {
  return spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      fileURLToPath(new URL("engine-child.ts", import.meta.url)),
    ],
    {
      // Empty but for our own temporary files: an unquoted table name may fall back to a file of the working directory.
      cwd: dataDir,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: dataDir,
        TZ: "UTC",
        LANG: "C.UTF-8",
        UV_THREADPOOL_SIZE: String(poolThreads),
      },
    },
  );
}

function tailOf(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => {
    tail = (tail + text).slice(-stderrMaxChars);
  });
  return () => tail;
}
