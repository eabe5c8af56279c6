/** An observer as a process in a host of a mesh, and what else the stories about it run there. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "../lab/namespaces.ts";
import { until } from "../lab/until.ts";

/** Runs a program in the host and returns what it printed. */
export function run(host: Host, ...command: string[]): string {
  return execFileSync("ip", ["netns", "exec", host.namespace, ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Starts a program in the host; its process id is the program's own. */
export function start(host: Host, ...command: string[]): ChildProcess {
  return spawn("ip", ["netns", "exec", host.namespace, ...command], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** An entry as the observer prints it; fields by the entry's kind. */
export interface Printed {
  readonly kind: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

/** Lines that are no entries. */
const ANSWERS: ReadonlySet<string> = new Set(["status", "payloads", "stopped"]);

export class Observer implements AsyncDisposable {
  readonly entries: Printed[] = [];
  readonly #answers = new Map<string, Printed>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(host: Host) {
    const program = fileURLToPath(new URL("observer.ts", import.meta.url));
    this.#child = start(host, process.execPath, program, "--enable-tracking");
    this.#ended = new Promise((resolve) => this.#child.on("close", resolve));
    const stdout = this.#child.stdout;
    if (stdout === null) throw new Error("the observer has no output");
    createInterface({ input: stdout }).on("line", (line) => {
      const printed: Printed = JSON.parse(line);
      if (ANSWERS.has(printed.kind)) this.#answers.set(printed.kind, printed);
      else this.entries.push(printed);
    });
  }

  /** Resolves when the observer has read its first mark. */
  static async start(host: Host): Promise<Observer> {
    const observer = new Observer(host);
    await until("the first mark", async () => (await observer.completeToMs()) > 0);
    return observer;
  }

  status(): Promise<Printed> {
    return this.#ask("status");
  }

  /** Initiator ports of the connections that the kernel still has and whose payload is known. */
  async portsWithPayload(): Promise<ReadonlySet<number>> {
    const { ports } = await this.#ask("payloads");
    return new Set(ports as number[]);
  }

  async completeToMs(): Promise<number> {
    return Number((await this.status()).completeToMs);
  }

  async readerPid(): Promise<number> {
    return Number((await this.status()).readerPid);
  }

  /** All that happened before this call has been printed when it resolves. */
  async settled(): Promise<void> {
    const nowMs = Date.now();
    await until("all events read", async () => (await this.completeToMs()) > nowMs);
  }

  of(kind: string): Printed[] {
    return this.entries.filter((entry) => entry.kind === kind);
  }

  /** Resolves when it has said its last; harmless when it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.stdin?.write("stop\n");
    await this.#ended;
  }

  async #ask(what: string): Promise<Printed> {
    this.#answers.delete(what);
    this.#child.stdin?.write(`${what}\n`);
    await until(`an answer: ${what}`, () => this.#answers.has(what));
    const answer = this.#answers.get(what);
    if (answer === undefined) throw new Error(`no answer: ${what}`);
    return answer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** The kernel's own count of messages that a process's event socket lost. */
export function kernelDrops(pid: number): number {
  const rows = readFileSync(`/proc/${pid}/net/netlink`, "latin1").split("\n");
  const columns = rows.map((row) => row.trim().split(/\s+/));
  return columns
    .filter(([, protocol, , groups]) => protocol === "12" && Number.parseInt(groups ?? "0", 16) > 0)
    .reduce((sum, row) => sum + Number(row[8]), 0);
}
