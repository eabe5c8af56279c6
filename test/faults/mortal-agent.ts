/** A real agent without kernel source, fed by lines, to be killed and started again by the same command line. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cleanEnv } from "../serve/server-process.ts";

const PROGRAM = fileURLToPath(new URL("../agent/agent-process.ts", import.meta.url));
const SAY_MS = 10;

export class MortalAgent implements Disposable {
  readonly state = mkdtempSync(join(tmpdir(), "tallystick-faults-agent-"));
  readonly #url: () => string;
  readonly #key: string;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #said = 0;
  node = "";
  /** What was given a number that this process was told, by number. */
  readonly given = new Map<number, string>();
  /** Numbers that were given twice: there must be none. */
  readonly givenTwice: number[] = [];

  constructor(url: () => string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Resolves when it observes; then lines are said without pause. */
  async start(): Promise<void> {
    const args = [PROGRAM, this.#url(), this.state, this.#key];
    const child = spawn(process.execPath, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: cleanEnv({}),
    });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    const ready = Promise.withResolvers<void>();
    child.on("exit", () => ready.reject(new Error("the agent ended before it was ready")));
    ready.promise.catch(() => undefined);
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line, ready.resolve));
    await ready.promise;
    this.#timer = setInterval(() => child.stdin.write(`line ${this.#said++}\n`), SAY_MS);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    clearInterval(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#child?.kill("SIGKILL");
    rmSync(this.state, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #heard(line: string, ready: () => void): void {
    const [first = "", ...rest] = line.split(" ");
    if (first === "ready") {
      this.node = rest.join(" ");
      return ready();
    }
    const seq = Number(first);
    if (this.given.has(seq)) this.givenTwice.push(seq);
    this.given.set(seq, rest.join(" "));
  }
}
