/**
 * What ingest acks per second, durably, over HTTP: small batches and large ones, by many nodes at
 * once. Server and load are two processes on this machine. `node bench/ingest.ts` prints a table.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inspect } from "../src/ingest/inspect.ts";
import { decodeFrame } from "../src/format/batch.ts";
import type { Entry } from "../src/format/entry.ts";
import { SimNode } from "../test/simulate/sim-node.ts";
import { IngestProcess } from "../test/ingest/spawn-server.ts";
import type { LoadFigure, LoadOptions } from "./ingest-load.ts";

export interface IngestFigure {
  readonly name: string;
  readonly acksPerS: number;
  readonly entriesPerS: number;
  /** NDJSON, before compression. */
  readonly rawMbPerS: number;
  readonly wireMbPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server: what holds on a machine that does other things too. */
  readonly serverCpuUsPerAck: number;
}

export interface IngestFigures {
  readonly over: readonly IngestFigure[];
  /** Decompression and the check of every entry, per second of processor time. */
  readonly checkedEntriesPerCpuS: number;
}

type Case = { readonly name: string } & Omit<LoadOptions, "url">;

const CASES: readonly Case[] = [
  { name: "1 node, 10 entries", nodes: 1, batchesPerNode: 1_000, entriesPerBatch: 10 },
  { name: "64 nodes, 1 entry", nodes: 64, batchesPerNode: 400, entriesPerBatch: 1 },
  { name: "256 nodes, 10 entries", nodes: 256, batchesPerNode: 100, entriesPerBatch: 10 },
  { name: "32 nodes, 64 KiB of NDJSON", nodes: 32, batchesPerNode: 60, entriesPerBatch: 1_200 },
  { name: "8 nodes, 1 MiB of NDJSON", nodes: 8, batchesPerNode: 16, entriesPerBatch: 19_000 },
];

const LOAD = new URL("ingest-load.ts", import.meta.url).pathname;
const run = promisify(execFile);

export async function benchIngest(execArgv: readonly string[] = []): Promise<IngestFigures> {
  const over: IngestFigure[] = [];
  for (const one of CASES) over.push(await measure(one, execArgv));
  return { over, checkedEntriesPerCpuS: checking() };
}

async function measure(one: Case, execArgv: readonly string[]): Promise<IngestFigure> {
  const directory = await mkdtemp(join(tmpdir(), "bench-ingest-"));
  const server = await IngestProcess.start(directory, one.nodes, execArgv);
  try {
    const options: LoadOptions = { ...one, url: server.url };
    const argv = [LOAD, JSON.stringify(options)];
    const before = await server.health();
    const { stdout } = await run(process.execPath, argv, { maxBuffer: 1 << 28 });
    const { cpuUs } = await server.health();
    return figure(one, JSON.parse(stdout) as LoadFigure, cpuUs - before.cpuUs);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true });
  }
}

function figure({ name, entriesPerBatch }: Case, load: LoadFigure, cpuUs: number): IngestFigure {
  const { acks, seconds, rawBytes, wireBytes } = load;
  const sorted = load.latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return {
    name,
    acksPerS: Math.round(acks / seconds),
    entriesPerS: Math.round((acks * entriesPerBatch) / seconds),
    rawMbPerS: Math.round(rawBytes / seconds / 1e5) / 10,
    wireMbPerS: Math.round(wireBytes / seconds / 1e5) / 10,
    p50Ms: Math.round(at(0.5) * 10) / 10,
    p99Ms: Math.round(at(0.99) * 10) / 10,
    serverCpuUsPerAck: Math.round(cpuUs / acks),
  };
}

/** A mix as agents send it: opens and closes. */
function checking(): number {
  const node = new SimNode();
  const entries: Entry[] = [];
  for (let at = 0; at < 20_000; at++) entries.push(at % 2 === 0 ? open(at) : close(at));
  const batch = decodeFrame(node.next({ entries }).frame);
  for (let warm = 0; warm < 5; warm++) inspect(batch);
  const rounds = 50;
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) inspect(batch);
  const { user, system } = process.cpuUsage(before);
  return Math.round((rounds * entries.length) / ((user + system) / 1e6));
}

function open(at: number): Entry {
  const initiator = { initiatorIp: `10.1.${at & 255}.3`, initiatorPort: 30_000 + (at % 30_000) };
  const tuple = { protocol: 6, ...initiator, responderIp: "10.0.0.2", responderPort: 443 };
  return { kind: "open", atMs: 1_800_000_000_000 + at, role: "initiator", tuple, pickup: false };
}

function close(at: number): Entry {
  const sent = { initiatorPackets: 10, initiatorBytes: 1_234 + at };
  const counters = { ...sent, responderPackets: 12, responderBytes: 45_678 };
  const atMs = 1_800_000_000_000 + at;
  const half = { openSeq: at - 1, ageMs: 1, state: "SF", assured: true, counters } as const;
  return { kind: "close", atMs, ...half, inferred: false };
}

if (import.meta.main) {
  const figures = await benchIngest(process.argv.slice(2));
  console.table(figures.over);
  console.log(`entries checked per second of processor: ${figures.checkedEntriesPerCpuS}`);
}
