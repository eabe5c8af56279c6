/** A program that speaks JSON lines: started, asked, waited for and ended. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Names the child in errors. */
  readonly name: string;
}

type Line = Readonly<Record<string, unknown>>;

export class Child {
  readonly process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Set<{
    matches: (line: Line) => boolean;
    resolve: (line: Line) => void;
  }>();
  readonly #exited: Promise<never>;
  #stderr = "";

  constructor(program: string, args: readonly string[], options: ChildOptions) {
    this.#name = options.name;
    this.process = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: "pipe" });
    const { stdout, stderr } = this.process;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#take(line));
    stderr?.on(
      "data",
      (data: Buffer) => (this.#stderr = (this.#stderr + data.toString()).slice(-4000)),
    );
    this.process.stdin?.on("error", () => undefined);
    const exited = Promise.withResolvers<never>();
    this.#exited = exited.promise;
    this.#exited.catch(() => undefined);
    this.process.on("exit", (code, signal) =>
      exited.reject(
        new Error(
          `${this.#name} ended with ${signal ?? code}: ${this.#stderr.trim() || "no message"}`,
        ),
      ),
    );
  }

  /** The next line for which `matches` holds; rejects when the child ends first. */
  line(matches: (line: Line) => boolean): Promise<Line> {
    const found = Promise.withResolvers<Line>();
    this.#waiting.add({ matches, resolve: found.resolve });
    return Promise.race([found.promise, this.#exited]);
  }

  send(order: object): void {
    this.process.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Ends it and waits until it is gone; harmless when it is. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill(signal);
    await exited;
  }

  #take(text: string): void {
    const line = parse(text);
    for (const waiting of this.#waiting) {
      if (!waiting.matches(line)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(line);
    }
  }
}

/** Lines that are no JSON object are for people: they match nothing. */
function parse(text: string): Line {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Line) : {};
  } catch {
    return {};
  }
}
