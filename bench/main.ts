/**
 * Every figure that we steer by, measured in one run on one machine, as a table and as JSON. What
 * counts are the ratios: an absolute figure belongs to the machine that it was taken on.
 *
 *   npm run bench [-- --json] [-- --only journal,ingest,scan,reconcile,steady,derive,ack,lists,visibility,load]
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { formatTable } from "../src/std/table.ts";
import { benchAckLatency } from "./ack-latency.ts";
import type { LoadResult } from "./connection-load.ts";
import { benchDerive } from "./derive.ts";
import { benchIngest } from "./ingest.ts";
import { benchJournal } from "./journal.ts";
import { benchLists } from "./lists.ts";

import { benchLoad, LOAD_CASES, type LoadCase } from "./load.ts";
import { benchReconcile } from "./reconcile.ts";
import { benchScan } from "./scan.ts";
import { benchSteady } from "./steady.ts";
import { benchVisibility } from "./visibility.ts";

/** One line of the table; `goal` is what DESIGN steers by, where it names one. */
export interface Figure {
  readonly what: string;
  readonly value: number | string;
  readonly unit: string;
  readonly goal?: string;
}

const BENCHES = {
  journal: journalFigures,
  ingest: ingestFigures,
  scan: scanFigures,
  reconcile: reconcileFigures,
  steady: steadyFigures,
  derive: deriveFigures,
  ack: ackFigures,
  lists: listFigures,
  visibility: visibilityFigures,
  load: loadFigures,
} as const satisfies Record<string, () => Promise<Figure[]>>;

type Name = keyof typeof BENCHES;

async function journalFigures(): Promise<Figure[]> {
  const figures = await benchJournal();
  return figures.flatMap((one) => {
    const what = `journal, ${one.frameBytes} B × ${one.appenders} appenders`;
    return [
      { what, value: Math.round(one.acksPerSecond), unit: "acks/s" },
      { what, value: round(one.mbPerSecond), unit: "MB/s" },
      { what, value: round(one.mbPerSecond / one.bareDiskMbPerSecond), unit: "of the bare disk" },
      { what, value: round(one.ackP99Ms), unit: "ms p99" },
    ];
  });
}

async function ingestFigures(): Promise<Figure[]> {
  const { over, checkedEntriesPerCpuS } = await benchIngest();
  const rows = over.flatMap((one) => [
    { what: `ingest, ${one.name}`, value: one.acksPerS, unit: "acks/s" },
    { what: `ingest, ${one.name}`, value: one.entriesPerS, unit: "entries/s" },
    { what: `ingest, ${one.name}`, value: round(one.p99Ms), unit: "ms p99" },
  ]);
  return [
    ...rows,
    { what: "entries checked", value: Math.round(checkedEntriesPerCpuS), unit: "per core second" },
  ];
}

function scanFigures(): Promise<Figure[]> {
  const figures = benchScan().flatMap(({ name, nsPerLine, linesPerS }) => [
    { what: `lines, ${name}`, value: nsPerLine, unit: "ns per line" },
    { what: `lines, ${name}`, value: linesPerS, unit: "lines/s" },
  ]);
  return Promise.resolve(figures);
}

async function reconcileFigures(): Promise<Figure[]> {
  const one = await benchReconcile();
  const what = "halves, cold backlog";
  return [
    { what, value: one.halvesPerS, unit: "halves/s in one thread" },
    { what, value: one.halvesPerSOfTwo, unit: "halves/s in two threads", goal: "≥ 2,000,000" },
    { what: `${what}, compared alone`, value: one.comparedHalvesPerS, unit: "halves/s" },
    { what, value: round(one.cpuUsPerHalf), unit: "core µs per half" },
  ];
}

async function steadyFigures(): Promise<Figure[]> {
  const one = await benchSteady();
  const what = "20,000 halves/s, rows made, without the engine";
  return [
    { what, value: round(one.machineShare * 100), unit: "% of the machine", goal: "≤ 10" },
    { what, value: one.liveHalves, unit: "halves in memory" },
    {
      what: "the same after twice the history",
      value: round(one.historyRatio),
      unit: "of the cost after once",
      goal: "1",
    },
  ];
}

async function deriveFigures(): Promise<Figure[]> {
  const one = await benchDerive();
  const what = "acked → searchable";
  return [
    { what, value: Math.round(one.searchableEntriesPerS), unit: "entries/s", goal: "≥ 400,000" },
    {
      what: "bare engine, same lines",
      value: Math.round(one.bareEngineEntriesPerS),
      unit: "entries/s",
    },
    { what, value: round(one.ratio), unit: "of the bare engine", goal: "≥ 0.6" },
    { what: "deriving", value: round(one.deriveCpuUsPerEntry), unit: "core µs per entry" },
    { what: "journal", value: round(one.journalBytesPerHalf), unit: "B per half", goal: "≤ 25" },
    { what: "store", value: round(one.storeBytesPerHalf), unit: "B per half", goal: "≤ 60" },
  ];
}

async function ackFigures(): Promise<Figure[]> {
  const one = await benchAckLatency();
  const what = `ack at ${one.entriesPerS} entries/s`;
  return [
    { what, value: one.quiet.p50Ms, unit: "ms p50" },
    { what, value: one.quiet.p99Ms, unit: "ms p99" },
    { what: `${what}, heavy queries`, value: one.underQueries.p50Ms, unit: "ms p50" },
    {
      what: `${what}, heavy queries`,
      value: one.underQueries.p99Ms,
      unit: "ms p99",
      goal: "< 100",
    },
    { what: "heavy queries answered meanwhile", value: one.queriesAnswered, unit: "" },
    {
      what: "searchable after the last ack",
      value: one.searchableAfterMs,
      unit: "ms",
      goal: "< 3000",
    },
  ];
}

async function visibilityFigures(): Promise<Figure[]> {
  const { openToVisible, closeToVisible } = await benchVisibility();
  return [
    { what: "open → visible", value: round(openToVisible.p99Ms), unit: "ms p99", goal: "< 3000" },
    { what: "close → visible", value: round(closeToVisible.p99Ms), unit: "ms p99", goal: "< 3000" },
  ];
}

async function listFigures(): Promise<Figure[]> {
  const figures = await benchLists();
  return figures.map(({ what, p50Ms }) => {
    const goal = what.startsWith("histogram") ? "< 500" : "< 300";
    return { what: `10 M connections, ${what}`, value: p50Ms, unit: "ms p50", goal };
  });
}

/** Needs root: its hosts are network namespaces. */
async function loadFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const one of LOAD_CASES) figures.push(...(await loadCase(one)));
  return figures;
}

async function loadCase(one: LoadCase): Promise<Figure[]> {
  const { load, baselines, agentsAlone, usage, loss, kernelDrops, told } = await benchLoad(one);
  const what = `${one.rate} connections/s`;
  const agents = Object.values(usage);
  const drops = sum(Object.values(kernelDrops).map((host) => host.drops));
  const rows: Figure[] = [
    {
      what,
      value: round(Math.max(...agents.map((use) => use.agent.cpuPercent))),
      unit: "% of a core, agent",
      ...(one.rate === 100 ? { goal: "< 3" } : {}),
    },
    {
      what,
      value: round(Math.max(...agents.map((use) => use.agent.rssMaxMb))),
      unit: "MB RSS, agent",
      goal: "< 80",
    },
    { what, value: load.succeeded, unit: "connections made" },
    { what, value: told.fromBothEnds, unit: "of them recorded by both ends" },
    {
      what,
      value: `${drops} = ${sum(Object.values(loss.overflowByNode))}`,
      unit: "events lost by the kernel = in gaps",
    },
  ];
  if (baselines.length > 0) {
    const without = sum(baselines.map((run) => run.perSecond)) / baselines.length;
    const ratio = (run: LoadResult | undefined): number => round((run?.perSecond ?? 0) / without);
    const idle = Math.min(...baselines.map((run) => run.idlePercent));
    rows.push(
      { what, value: ratio(agentsAlone), unit: "of the rate without agents", goal: "1" },
      { what, value: ratio(load), unit: "the same beside the server", goal: "1" },
      { what, value: idle, unit: "% of the machine idle without agents" },
    );
  }
  return rows;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function round(value: number): number {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toFixed(digits));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, only: { type: "string" } },
  });
  const names = Object.keys(BENCHES) as Name[];
  const asked = values.only?.split(",") ?? names;
  const all: Figure[] = [];
  for (const name of names) {
    if (!asked.includes(name)) continue;
    if (values.json !== true) console.error(`measuring ${name} …`);
    all.push(...(await BENCHES[name]()));
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}`;
  if (values.json === true) console.log(JSON.stringify({ machine, figures: all }));
  else
    console.log(
      `${machine}\n\n${formatTable(
        ["what", "value", "unit", "goal"],
        all.map((one) => [one.what, one.value, one.unit, one.goal]),
      )}`,
    );
}

await main();
