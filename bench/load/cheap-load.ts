/** The generator in Perl, run in two namespaces; its result in the words of connection-load.ts. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Load, LoadResult } from "../connection-load.ts";

export const FIRST_PORT = 20_000;
export const PORTS = 32;
const WORKERS = 8;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const GENERATOR = fileURLToPath(new URL("generator.pl", import.meta.url));
const run = promisify(execFile);

export async function runCheapLoad(load: Load): Promise<LoadResult> {
  const server = startServer(load.to);
  try {
    await once(server.stdout ?? server, "data");
    const { address, rate, seconds } = load;
    const words = [FIRST_PORT, PORTS, address, rate, seconds, WORKERS].map(String);
    const args = ["netns", "exec", load.from, "perl", GENERATOR, "connect", ...words];
    const { stdout } = await run("ip", args, { maxBuffer: OUTPUT_BYTES_MAX });
    return resultOf(stdout);
  } finally {
    endGroup(server);
  }
}

/** In a process group of its own: it forks a process per port. */
function startServer(namespace: string): ChildProcess {
  const words = ["serve", String(FIRST_PORT), String(PORTS)];
  const args = ["netns", "exec", namespace, "perl", GENERATOR, ...words];
  return spawn("ip", args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGKILL");
}

function resultOf(stdout: string): LoadResult {
  const workers = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  const sum = (at: number): number => workers.reduce((all, one) => all + (one[at] ?? 0), 0);
  const sorted = workers.flatMap((one) => one.slice(3)).toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) / 10) / 100;
  const seconds = Math.max(...workers.map(([, , took = 0]) => took));
  return {
    attempted: sum(0),
    succeeded: sorted.length,
    failed: sum(1) === 0 ? {} : { failed: sum(1) },
    seconds: Math.round(seconds * 100) / 100,
    perSecond: Math.round(sum(0) / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}
