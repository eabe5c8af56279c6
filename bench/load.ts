/**
 * Real connection load on the whole product: two hosts in namespaces with a real agent each, a real
 * server, a generator between the hosts. What was lost, what it cost, whether the host noticed.
 *
 *   node bench/load.ts [--rate 2000 --seconds 30]      without options: all three cases
 *
 * Everything shares this machine's processors, the server and both hosts. In life the server has a
 * machine of its own, so what the agents alone cost the hosts is measured while it is stopped.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { inside } from "../test/lab/namespaces.ts";
import { enlargeEventBuffer } from "../test/lab/event-buffer.ts";
import { MeshLab, type Host } from "../test/lab/mesh-lab.ts";
import { until } from "../test/lab/until.ts";
import type { LoadResult } from "./connection-load.ts";
import { runCheapLoad } from "./load/cheap-load.ts";
import { DropsWatch } from "./load/drops-watch.ts";
import { type MachineShare, watchMachine } from "./load/machine-share.ts";
import { type AgentUsage, UsageWatch } from "./load/process-usage.ts";
import { findingsOf, type Loss, lossOf, type Told, toldBy } from "./load/told.ts";

export interface LoadCase {
  readonly rate: number;
  readonly seconds: number;
  /** Runs the same load without agents before and after, to compare with. */
  readonly baseline?: boolean;
}

/** A load, and what it left of this machine: where nothing is left, whatever runs beside it slows it. */
export type Run = LoadResult & MachineShare;

export interface LoadFigures {
  readonly rate: number;
  readonly load: Run;
  /** Without agents, with the kernel's tracking on: before and after. */
  readonly baselines: readonly Run[];
  /** With agents, while the server is stopped; with baselines only. */
  readonly agentsAlone: Run | undefined;
  readonly usage: Readonly<Record<string, AgentUsage>>;
  /** From the end of the load until every connection was searchable with both ends, or decided. */
  readonly searchableAfterMs: number;
  readonly told: Told;
  readonly loss: Loss;
  /** By host, the kernel's own count, and the sockets it was read from. */
  readonly kernelDrops: Readonly<Record<string, { drops: number; sockets: number }>>;
  readonly findings: readonly string[];
}

/** Short lives for what is over: 2,200 connections a second fill the table with the default of 120 s. */
const TIMEOUTS_S = {
  nf_conntrack_tcp_timeout_time_wait: 10,
  nf_conntrack_tcp_timeout_close: 5,
  nf_conntrack_udp_timeout: 5,
};
const DECIDED_WITHIN_MS = 120_000;
const COUNTED_WITHIN_MS = 30_000;
const BUNDLE = fileURLToPath(new URL("../dist/tallystick-agent.mjs", import.meta.url));

/** One case in a mesh of its own. */
export async function benchLoad(what: LoadCase): Promise<LoadFigures> {
  await using lab = await openLab();
  using _buffer = enlargeEventBuffer();
  const [from, to] = lab.hosts;
  if (from === undefined || to === undefined) throw new Error("two hosts are needed");
  const { rate, seconds } = what;
  const run = async (): Promise<Run> => {
    const share = watchMachine();
    const load = { from: from.namespace, to: to.namespace, address: to.ip, rate, seconds };
    return { ...(await runCheapLoad(load)), ...share() };
  };
  const baseline = async (): Promise<Run[]> =>
    what.baseline === true ? [await withoutAgents(lab, run)] : [];
  const before = await baseline();
  await Promise.all(lab.hosts.map((host) => lab.startAgent(host)));
  await known(lab);
  const drops = lab.hosts.map((host) => [host, new DropsWatch(pidOf(lab, host))] as const);
  const usages = lab.hosts.map((host) => [host, new UsageWatch(pidOf(lab, host))] as const);
  const load = await run();
  const usage = Object.fromEntries(usages.map(([host, watch]) => [host.name, watch.end()]));
  const endMs = performance.now();
  const searchableAfterMs = await searchable(lab, load, endMs);
  const told = await decided(lab);
  for (const [, watch] of drops) watch.end();
  const loss = await lossOf(lab);
  const findings = await findingsOf(lab);
  const agentsAlone = what.baseline === true ? await withoutServer(lab, run) : undefined;
  await Promise.all(lab.hosts.map((host) => lab.agentOf(host).end()));
  return {
    rate,
    load,
    agentsAlone,
    baselines: [...before, ...(await baseline())],
    usage,
    searchableAfterMs,
    told,
    loss,
    kernelDrops: Object.fromEntries(
      drops.map(([host, { total, sockets }]) => [host.name, { drops: total, sockets }]),
    ),
    findings,
  };
}

function openLab(): Promise<MeshLab> {
  return MeshLab.open({
    prefix: `tsmesh-l${process.pid}`,
    hosts: ["ann", "ben"],
    timeoutsS: TIMEOUTS_S,
    asServices: true,
    ...(existsSync(BUNDLE) ? { agent: [process.execPath, BUNDLE] } : {}),
  });
}

/** The kernel tracks as it does with agents, or with any stateful firewall; afterwards nothing is left of it. */
async function withoutAgents(lab: MeshLab, run: () => Promise<Run>): Promise<Run> {
  const rule = "ct state new counter";
  const chains = ["input", "output"].flatMap((hook) => [
    `add chain inet firewall ${hook} { type filter hook ${hook} priority 0; }`,
    `add rule inet firewall ${hook} ${rule}`,
  ]);
  const nft = ["add table inet firewall", ...chains].join("; ");
  await Promise.all(lab.hosts.map((host) => inside(host, "nft", nft)));
  const result = await run();
  await Promise.all(
    lab.hosts.map(async (host) => {
      await inside(host, "nft", "delete table inet firewall");
      await inside(host, "conntrack", "-F");
    }),
  );
  return result;
}

async function withoutServer(lab: MeshLab, run: () => Promise<Run>): Promise<Run> {
  using _paused = await lab.pauseServer();
  return await run();
}

/** The server knows whose the addresses are. */
async function known(lab: MeshLab): Promise<void> {
  await until("the server knows the nodes", async () => {
    const rows = await lab.sql<{ addresses: readonly string[] }>("SELECT addresses FROM nodes");
    return rows.filter(({ addresses }) => addresses.length > 0).length === lab.hosts.length;
  });
}

function pidOf(lab: MeshLab, host: Host): number {
  return lab.agentOf(host).process.pid ?? -1;
}

/** Until both ends of every connection are there, or, where events were lost, nothing more comes. */
async function searchable(lab: MeshLab, load: LoadResult, endMs: number): Promise<number> {
  let lastCount = -1;
  let lastChangeMs = performance.now();
  for (;;) {
    const { fromBothEnds, connections } = await toldBy(lab);
    const nowMs = performance.now();
    if (fromBothEnds >= load.succeeded) return Math.round(nowMs - endMs);
    if (connections + fromBothEnds !== lastCount) lastChangeMs = nowMs;
    lastCount = connections + fromBothEnds;
    if (nowMs - lastChangeMs > 15_000) return Math.round(lastChangeMs - endMs);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function decided(lab: MeshLab): Promise<Told> {
  const startMs = performance.now();
  for (;;) {
    await lab.sweepAll();
    const told = await toldBy(lab);
    const waitedMs = performance.now() - startMs;
    const isDone = told.undecided === 0 && told.countersPending === 0;
    if (isDone || waitedMs > (told.undecided > 0 ? DECIDED_WITHIN_MS : COUNTED_WITHIN_MS)) {
      return told;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** The cases that the product's goals name. */
export const LOAD_CASES: readonly LoadCase[] = [
  { rate: 100, seconds: 20 },
  { rate: 2_000, seconds: 30 },
  { rate: 4_000, seconds: 15, baseline: true },
  { rate: 10_000, seconds: 15, baseline: true },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rate: { type: "string" },
      seconds: { type: "string", default: "30" },
      baseline: { type: "boolean", default: false },
    },
  });
  const { rate, seconds, baseline } = values;
  const cases =
    rate === undefined ? LOAD_CASES : [{ rate: Number(rate), seconds: Number(seconds), baseline }];
  for (const one of cases) console.log(JSON.stringify(await benchLoad(one), null, 2));
}

if (import.meta.main) await main();
