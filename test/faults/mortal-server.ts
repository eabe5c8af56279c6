/** The real `tallystick server`, to be killed and started again by the same command line. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { cleanEnv, PROGRAM } from "../serve/server-process.ts";
import { ask } from "./request.ts";

export interface MortalOptions {
  /** How far clocks may differ: absences are decided no sooner. */
  readonly clockTolerance?: string;
}

/** Between two looks at a condition. */
const LOOK_MS = 50;
const STDERR_CHARS_MAX = 100_000;

/** A table as SQL answers it. */
export type Rows = readonly (readonly unknown[])[];

export class MortalServer implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "tallystick-faults-"));
  readonly #options: MortalOptions;
  #child: ChildProcess | undefined;
  /** Free when it starts first, the same from then on. */
  #port = 0;
  /** What all its lives have said. */
  stderr = "";

  constructor(options: MortalOptions = {}) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it says that it is ready, or has died at the crash point that `crashAt` names. */
  async start(crashAt = ""): Promise<void> {
    const { clockTolerance = "120s" } = this.#options;
    const listen = ["--listen", `127.0.0.1:${this.#port}`, "--clock-tolerance", clockTolerance];
    const args = [PROGRAM, "server", "--data", this.dir, ...listen, "--json"];
    const env = cleanEnv(crashAt === "" ? {} : { TALLYSTICK_CRASH_AT: crashAt });
    const child = spawn(process.execPath, args, { env });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#heard(text));
    const ready = once(createInterface({ input: child.stdout }), "line");
    const ended = once(child, "exit").then(() => {
      if (crashAt !== "") return undefined;
      throw new Error(`the server did not start: ${this.stderr.slice(-2_000)}`);
    });
    ended.catch(() => undefined);
    const [line] = ((await Promise.race([ready, ended])) ?? []) as string[];
    if (line === undefined) return;
    this.#port = Number(new URL((JSON.parse(line) as { url: string }).url).port);
  }

  /** The engine is the server's only child process; undefined while there is none. */
  get storePid(): number | undefined {
    try {
      const task = `/proc/${this.pid}/task`;
      const children = readdirSync(task).flatMap((id) =>
        readFileSync(join(task, id, "children"), "utf8")
          .trim()
          .split(" "),
      );
      const pid = Number(children.find((text) => text !== ""));
      return pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  get running(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves with the signal or the code by which it ended. */
  async ended(): Promise<NodeJS.Signals | number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (this.running) await once(child, "exit");
    return child.signalCode ?? child.exitCode;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<NodeJS.Signals | number | null> {
    if (this.running) this.#child?.kill(signal);
    return this.ended();
  }

  /** Calls the API as the administrator; rejects for anything but success. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const token = readFileSync(join(this.dir, "admin.token"), "utf8").trim();
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const { status, text } = await ask({
      method,
      url: `${this.url}${path}`,
      headers: { authorization: `Bearer ${token}`, ...type },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as unknown;
  }

  async enrolmentKey(): Promise<string> {
    const made = (await this.call("POST", "/api/v1/keys", { reusable: true })) as { key: string };
    return made.key;
  }

  async sql(text: string): Promise<Rows> {
    const request = { sql: text, limit: 100_000 };
    const answer = (await this.call("POST", "/api/v1/sql", request)) as {
      rows: Rows;
      cut: unknown;
    };
    assert.equal(answer.cut, null, "the answer was cut");
    return answer.rows;
  }

  /** Asks until the answer satisfies; passing errors count as no. Rejects after `maxMs`. */
  async until<T>(
    what: string,
    ask: () => Promise<T>,
    holds: (answer: T) => boolean,
    maxMs = 60_000,
  ): Promise<T> {
    const endMs = performance.now() + maxMs;
    let last: unknown;
    while (performance.now() < endMs) {
      try {
        const answer = await ask();
        if (holds(answer)) return answer;
        last = answer;
      } catch (error) {
        last = error;
      }
      await pause(LOOK_MS);
    }
    throw new Error(
      `${what}: not within ${maxMs} ms; last: ${textOf(last)}; the server said: ${this.stderr.slice(-3_000)}`,
    );
  }

  /** Resolves when everything that is durable by now is searchable. */
  async caughtUp(maxMs = 60_000): Promise<void> {
    const { journal } = await this.#status();
    await this.until(
      "the store catches up",
      () => this.#status(),
      ({ store }) => store.records >= journal.records,
      maxMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  async #status(): Promise<{ journal: { records: number }; store: { records: number } }> {
    return (await this.call("GET", "/api/v1/status")) as never;
  }

  #heard(text: string): void {
    this.stderr = (this.stderr + text).slice(-STDERR_CHARS_MAX);
  }
}

function textOf(what: unknown): string {
  return what instanceof Error ? what.message : JSON.stringify(what).slice(0, 1_000);
}
