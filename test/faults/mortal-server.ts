/** The real `tallystick server`, to be killed and started again by the same command line. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cleanEnv, PROGRAM } from "../serve/server-process.ts";
import { ServerApi } from "./server-api.ts";
import { storePidOf } from "./store-pid.ts";

const STDERR_CHARS_MAX = 100_000;

export class MortalServer implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "tallystick-faults-"));
  readonly api = new ServerApi(
    this.dir,
    () => this.url,
    () => this.stderr.slice(-4_000),
  );
  #child: ChildProcess | undefined;
  /** Free when it starts first, the same from then on. */
  #port = 0;
  /** What all its lives have said. */
  stderr = "";

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it says that it is ready, or has died at the crash point that `crashAt` names. */
  async start(crashAt = ""): Promise<void> {
    const listen = ["--listen", `127.0.0.1:${this.#port}`];
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

  /** Undefined while there is none. */
  get storePid(): number | undefined {
    return storePidOf(this.pid);
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

  async [Symbol.asyncDispose](): Promise<void> {
    const { storePid } = this;
    await this.stop("SIGKILL");
    // It would go on for a moment, and write into what is removed.
    if (storePid !== undefined) killIfThere(storePid);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  #heard(text: string): void {
    this.stderr = (this.stderr + text).slice(-STDERR_CHARS_MAX);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
