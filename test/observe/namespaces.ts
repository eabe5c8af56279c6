/**
 * Two hosts on one link, as network namespaces, each with an observer in it; for stories on a real
 * kernel. The namespaces have short conntrack timeouts, so that ends are seen within seconds.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Host {
  readonly name: string;
  readonly address: string;
}

const TIMEOUTS = {
  tcp_timeout_time_wait: 3,
  tcp_timeout_close: 2,
  tcp_timeout_syn_sent: 3,
  udp_timeout: 3,
  udp_timeout_stream: 4,
};

/** Why these stories cannot run here, or false. */
export function cannotRun(): string | false {
  if (process.getuid?.() !== 0) return "needs root, for network namespaces";
  for (const program of ["ip", "nft", "conntrack"]) {
    if (spawnSync("which", [program]).status !== 0) return `needs the program ${program}`;
  }
  return false;
}

export class Link implements Disposable {
  readonly hosts: readonly [Host, Host];

  constructor() {
    const names = ["a", "b"].map((end) => `tsob-${process.pid}-${end}`);
    const [a = "", b = ""] = names;
    this.hosts = [
      { name: a, address: "10.99.0.1" },
      { name: b, address: "10.99.0.2" },
    ];
    for (const name of names) ip("netns", "add", name);
    ip("link", "add", "eth0", "netns", a, "type", "veth", "peer", "name", "eth0", "netns", b);
    for (const host of this.hosts) {
      ip("-n", host.name, "addr", "add", `${host.address}/24`, "dev", "eth0");
      ip("-n", host.name, "link", "set", "eth0", "up");
      ip("-n", host.name, "link", "set", "lo", "up");
      const settings = Object.entries(TIMEOUTS).map(
        ([name, seconds]) => `net.netfilter.nf_conntrack_${name}=${seconds}`,
      );
      run(host, "sysctl", "-qw", ...settings);
    }
  }

  [Symbol.dispose](): void {
    for (const { name } of this.hosts) spawnSync("ip", ["netns", "del", name]);
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

/** Runs a program in the host and returns what it printed. */
export function run(host: Host, ...command: string[]): string {
  return execFileSync("ip", ["netns", "exec", host.name, ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Starts a program in the host; its process id is the program's own. */
export function start(host: Host, ...command: string[]): ChildProcess {
  return spawn("ip", ["netns", "exec", host.name, ...command], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** An entry as the observer prints it; fields by the entry's kind. */
export interface Printed {
  readonly kind: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

export class Observer implements AsyncDisposable {
  readonly entries: Printed[] = [];
  #status: Printed | undefined;
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
      if (printed.kind === "status" || printed.kind === "stopped") this.#status = printed;
      else this.entries.push(printed);
    });
  }

  /** Resolves when the observer has read its first mark. */
  static async start(host: Host): Promise<Observer> {
    const observer = new Observer(host);
    await until("the first mark", async () => (await observer.completeToMs()) > 0);
    return observer;
  }

  async status(): Promise<Printed> {
    this.#status = undefined;
    this.#child.stdin?.write("status\n");
    await until("a status", () => this.#status !== undefined);
    if (this.#status === undefined) throw new Error("no status");
    return this.#status;
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.write("stop\n");
    await this.#ended;
  }
}

/**
 * Sockets opened until the returned function is called, in any namespace, hold a burst of 25,000
 * events: for stories in which nothing may be lost on a busy machine. An agent outside of
 * namespaces does this for itself; from within it cannot.
 */
export function enlargeBuffers(): () => void {
  const path = "/proc/sys/net/core/rmem_default";
  const before = readFileSync(path, "latin1");
  writeFileSync(path, String(32 * 1024 * 1024));
  return () => writeFileSync(path, before);
}

/** Waits until the condition holds; fails after the deadline. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
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
