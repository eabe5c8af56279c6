/**
 * Opens TCP connections between two network namespaces at a steady rate and prints, as one JSON
 * line, how many succeeded and how long they took from connect to close.
 *
 *   node bench/connection-load.ts --from NETNS --to NETNS --address IP --rate 2000 --seconds 30
 *
 * Each connection sends 100 bytes, gets them back and is closed by the client. The server listens
 * on many ports, so that a client's 28,000 ephemeral ports last while closed ones are in TIME_WAIT.
 * Long runs at a high rate need short conntrack timeouts in both namespaces, or the table fills.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FIRST_PORT = 20_000;
const PORTS = 32;
const REQUEST = Buffer.alloc(100, "x");
const TIMEOUT_MS = 10_000;
/** More at once would measure the generator's own queue. */
const OPEN_MAX = 4000;

export interface LoadResult {
  readonly attempted: number;
  readonly succeeded: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Load {
  /** Namespaces of client and server. */
  readonly from: string;
  readonly to: string;
  /** The server's address as the client sees it. */
  readonly address: string;
  readonly rate: number;
  readonly seconds: number;
}

/** Runs server and client in their namespaces; resolves when the client is done. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const server = inNamespace(load.to, ["serve"]);
  try {
    await firstLine(server);
    const { address, rate, seconds } = load;
    const asked = ["--address", address, "--rate", String(rate), "--seconds", String(seconds)];
    return JSON.parse(await firstLine(inNamespace(load.from, ["connect", ...asked])));
  } finally {
    server.kill("SIGKILL");
  }
}

function inNamespace(name: string, args: readonly string[]): ChildProcess {
  const own = [process.execPath, fileURLToPath(import.meta.url), ...args];
  return spawn("ip", ["netns", "exec", name, ...own], { stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("the load generator ended without a result");
}

async function serve(): Promise<void> {
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen({ port, host: "::", backlog: 4096 });
    await once(server, "listening");
  }
  process.stdout.write("ready\n");
}

class Client {
  readonly #address: string;
  readonly #latenciesMs: number[] = [];
  readonly #failed: Record<string, number> = {};
  #attempted = 0;
  #open = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /** `rate` a second, by an absolute schedule: what one tick missed the next makes up for. */
  async run(rate: number, seconds: number): Promise<LoadResult> {
    const startMs = performance.now();
    const total = Math.round(rate * seconds);
    while (this.#attempted < total) {
      const due = Math.min(total, ((performance.now() - startMs) / 1000) * rate);
      while (this.#attempted < due && this.#open < OPEN_MAX) this.#one();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const tookS = (performance.now() - startMs) / 1000;
    while (this.#open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#result(tookS);
  }

  #one(): void {
    const port = FIRST_PORT + (this.#attempted++ % PORTS);
    this.#open++;
    const startMs = performance.now();
    const socket = connect({ host: this.#address, port });
    let error = "";
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("timeout")));
    socket.on("connect", () => socket.write(REQUEST));
    socket.on("data", () => socket.end());
    socket.on("error", (reason: NodeJS.ErrnoException) => (error = reason.code ?? reason.message));
    socket.on("close", () => {
      this.#open--;
      if (error === "") this.#latenciesMs.push(performance.now() - startMs);
      else this.#failed[error] = (this.#failed[error] ?? 0) + 1;
    });
  }

  #result(seconds: number): LoadResult {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const at = (part: number): number => round(sorted[Math.floor(sorted.length * part)] ?? 0);
    return {
      attempted: this.#attempted,
      succeeded: sorted.length,
      failed: this.#failed,
      seconds: round(seconds),
      perSecond: round(this.#attempted / seconds),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: round(sorted.at(-1) ?? 0),
    };
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: "string", default: "" },
      to: { type: "string", default: "" },
      address: { type: "string", default: "127.0.0.1" },
      rate: { type: "string", default: "100" },
      seconds: { type: "string", default: "10" },
    },
  });
  const { from, to, address } = values;
  const rate = Number(values.rate);
  const seconds = Number(values.seconds);
  if (positionals[0] === "serve") return serve();
  const result =
    positionals[0] === "connect"
      ? await new Client(address).run(rate, seconds)
      : await runLoad({ from, to, address, rate, seconds });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

if (import.meta.main) await main();
