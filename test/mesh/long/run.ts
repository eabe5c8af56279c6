/** One long run, from the cables to the judgement. */
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageWatch } from "../../../bench/load/process-usage.ts";
import type { Account } from "./chatter.ts";
import { wrongIn } from "./expect.ts";
import { INCIDENTS } from "./incidents.ts";
import { report, type Usages } from "./report.ts";
import { told, waiting } from "./told.ts";
import { World, type WorldOptions } from "./world.ts";

export interface RunOptions extends WorldOptions {
  readonly minutes: number;
  /** How long what was made may take to be decided. */
  readonly patienceMinutes: number;
  /** Whether the last counters are waited for as well. */
  readonly untilCounted: boolean;
  /** Where everything is copied to in the end: the journal, the agents' directories, the calls. */
  readonly keep?: string;
}

export interface Outcome {
  readonly report: string;
  /** Sentences; empty when all is as it should be. */
  readonly wrong: readonly string[];
}

export type Say = (line: string) => void;

const MINUTE_MS = 60_000;
const ASK_EVERY_MS = 5_000;

/** Rejects when `signal` ends it early; the hosts are gone in any case. */
export async function longRun(
  options: RunOptions,
  say: Say,
  signal: AbortSignal,
): Promise<Outcome> {
  await using world = await World.open(options);
  const ended = once(signal, "abort").then(() => Promise.reject(new Error("ended early")));
  return await Promise.race([ended, observed(world, options, say)]);
}

async function observed(world: World, options: RunOptions, say: Say): Promise<Outcome> {
  say("All hosts observe; they begin to talk");
  const watches = watch(world);
  try {
    const account = await talk(world, options.minutes * MINUTE_MS, say);
    say("Nobody talks any more; waiting until all is decided");
    await settled(world, options, say);
    return await judged(world, options, account, watches);
  } finally {
    for (const one of watches.values()) one.end();
    if (options.keep !== undefined) await keep(world.lab.directory, options.keep);
  }
}

/** Without the store: it is in use, and can be made again from the journal. */
async function keep(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith("/server/store") });
}

async function judged(
  world: World,
  { withLiar }: RunOptions,
  account: Account,
  watches: ReadonlyMap<string, UsageWatch>,
): Promise<Outcome> {
  const all = await told(world.lab);
  const usages: Usages = new Map([...watches].map(([name, one]) => [name, one.end()]));
  return { report: report(all, account, usages), wrong: wrongIn(all, account, withLiar) };
}

/** Processes that live through the run. */
function watch(world: World): Map<string, UsageWatch> {
  const watches = new Map<string, UsageWatch>();
  for (const name of ["ann", "cat", "gate"] as const) {
    const { pid } = world.lab.agentOf(world.host(name)).process;
    watches.set(`agent of ${name}`, new UsageWatch(pid ?? -1));
  }
  watches.set("server", new UsageWatch(world.lab.serverPid));
  return watches;
}

async function talk(world: World, durationMs: number, say: Say): Promise<Account> {
  const startMs = performance.now();
  world.talk();
  for (const incident of INCIDENTS) {
    await sleep(Math.max(0, startMs + incident.at * durationMs - performance.now()));
    say(`${incident.what} (${Math.round((performance.now() - startMs) / 1000)} s)`);
    await incident.happen(world);
  }
  await sleep(Math.max(0, startMs + durationMs - performance.now()));
  return world.hush();
}

async function settled(world: World, options: RunOptions, say: Say): Promise<void> {
  const endMs = performance.now() + options.patienceMinutes * MINUTE_MS;
  let said = "";
  for (;;) {
    await world.lab.sweepAll();
    const { verdicts, counters } = await waiting(world.lab);
    const left = options.untilCounted ? verdicts + counters : verdicts;
    if (left === 0 || performance.now() > endMs) return;
    const line = `${verdicts} connections wait for a verdict, ${counters} for counters`;
    if (line !== said) say(line);
    said = line;
    await sleep(ASK_EVERY_MS);
  }
}
