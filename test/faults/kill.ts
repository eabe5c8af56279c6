/**
 * Kill -9 under load: the server, its store's process and an agent die at moments that a seed
 * chooses, and are started again by their plain commands. Nothing acknowledged may be missing or
 * twice, in the journal and in the store, and nobody may be accused.
 *
 * `node test/faults/kill.ts [--kills 20] [--seed 1] [--victim store]…` prints the report and exits 1 on a failure.
 */
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { HttpNode } from "./http-node.ts";
import { checkKilled } from "./killed-check.ts";
import { MortalAgent } from "./mortal-agent.ts";
import { MortalServer } from "./mortal-server.ts";
import { PairLoad } from "./pair-load.ts";

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Default: all. */
  readonly victims?: readonly Victim[];
  readonly progress?: (line: string) => void;
}

/** What one death was, and what went on meanwhile. */
export interface Death {
  readonly victim: Victim;
  /** From the kill until it serves again. */
  readonly awayMs: number;
  /** Batches acknowledged in that time. */
  readonly acks: number;
}

export interface KillReport {
  readonly deaths: readonly Death[];
  readonly seconds: number;
  /** Batches with a receipt, the agent's not counted. */
  readonly batches: number;
  readonly connections: number;
  readonly logs: number;
  readonly agentEntries: number;
  /** What must not be: empty for a pass. */
  readonly failures: readonly string[];
}

const VICTIMS = ["server", "store", "agent"] as const;
type Victim = (typeof VICTIMS)[number];

const PAIRS = 3;
/** Between two deaths, at random between these: enough that something is always under way. */
const LIFE_MS_MIN = 200;
const LIFE_MS_MAX = 1_500;
/** How often the next death does not wait until the store of the one before is back. */
const HASTE_SHARE = 0.3;

export async function killUnderLoad(options: KillOptions): Promise<KillReport> {
  await using server = new MortalServer();
  await server.start();
  const key = await server.api.enrolmentKey();
  using agent = new MortalAgent(() => server.url, key);
  const run = new KillRun(options, server, agent);
  return await run.run(key);
}

class KillRun {
  readonly #options: KillOptions;
  readonly #server: MortalServer;
  readonly #agent: MortalAgent;
  readonly #random: SeededRandom;
  readonly #pairs: readonly PairLoad[];
  readonly #deaths: Death[] = [];

  constructor(options: KillOptions, server: MortalServer, agent: MortalAgent) {
    this.#options = options;
    this.#server = server;
    this.#agent = agent;
    this.#random = new SeededRandom(options.seed);
    this.#pairs = Array.from({ length: PAIRS }, (_, at) => {
      const node = (end: number) =>
        new HttpNode(`pair-${at}-${end}`, `10.7.${at}.${end}`, () => server.url);
      return new PairLoad([node(1), node(2)], this.#random.fork());
    });
  }

  get #nodes(): HttpNode[] {
    return this.#pairs.flatMap(({ nodes }) => [...nodes]);
  }

  get #acks(): number {
    return this.#nodes.reduce((sum, { receipts }) => sum + receipts.length, 0);
  }

  async run(key: string): Promise<KillReport> {
    const startedMs = performance.now();
    for (const node of this.#nodes) await node.enrol(key);
    for (const pair of this.#pairs) pair.begin();
    await this.#agent.start();
    const load = Promise.all(this.#pairs.map((pair) => pair.run()));
    await Promise.race([load, this.#killAll()]);
    for (const pair of this.#pairs) pair.end();
    await load;
    await this.#agent.stop("SIGTERM");
    const failures = await checkKilled(this.#server, this.#pairs, this.#agent);
    return this.#report(failures, (performance.now() - startedMs) / 1000);
  }

  async #killAll(): Promise<void> {
    for (const victim of this.#victims()) {
      await pause(this.#random.integer(LIFE_MS_MIN, LIFE_MS_MAX));
      const death = await this.#kill(victim);
      this.#deaths.push(death);
      this.#options.progress?.(JSON.stringify(death));
    }
    await this.#storeServes();
  }

  /** All of them equally often, in an order of the seed's choice. */
  #victims(): Victim[] {
    const { kills, victims = VICTIMS } = this.#options;
    const each = Array.from({ length: kills }, (_, at) => victims[at % victims.length] ?? "server");
    return this.#random.shuffled(each);
  }

  async #kill(victim: Victim): Promise<Death> {
    const acksBefore = this.#acks;
    const killedMs = performance.now();
    await this.#killAndRevive(victim);
    const awayMs = Math.round(performance.now() - killedMs);
    return { victim, awayMs, acks: this.#acks - acksBefore };
  }

  async #killAndRevive(victim: Victim): Promise<void> {
    switch (victim) {
      case "server":
        await this.#server.stop("SIGKILL");
        return this.#server.start();
      case "agent":
        await this.#agent.stop("SIGKILL");
        return this.#agent.start();
      case "store":
        return this.#killStore();
    }
  }

  async #killStore(): Promise<void> {
    const server = this.#server;
    const look = () => Promise.resolve(server.storePid);
    const pid = await server.api.until("the store runs", look, (found) => found !== undefined);
    if (pid === undefined) return;
    process.kill(pid, "SIGKILL");
    await server.api.until("the store died", look, (found) => found !== pid);
    if (!this.#random.chance(HASTE_SHARE)) await this.#storeServes();
  }

  async #storeServes(): Promise<void> {
    await this.#server.api.until(
      "the store serves",
      () => this.#server.api.sql("SELECT count() FROM nodes"),
      () => true,
    );
  }

  #report(failures: readonly string[], seconds: number): KillReport {
    const sum = (of: (pair: PairLoad) => number) =>
      this.#pairs.reduce((total, pair) => total + of(pair), 0);
    const stores = this.#deaths.filter(({ victim }) => victim === "store");
    const acksMeanwhile = stores.reduce((total, { acks }) => total + acks, 0);
    const noAcks = stores.length > 0 && acksMeanwhile === 0;
    return {
      deaths: this.#deaths,
      seconds,
      batches: this.#acks,
      connections: sum(({ connections }) => connections),
      logs: sum(({ logs }) => logs),
      agentEntries: this.#agent.given.size,
      failures: noAcks ? [...failures, "no batch was acked while the store was dead"] : failures,
    };
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "20" },
      seed: { type: "string", default: "1" },
      victim: { type: "string", multiple: true, default: [...VICTIMS] },
    },
  });
  const report = await killUnderLoad({
    kills: Number(values.kills),
    seed: Number(values.seed),
    victims: VICTIMS.filter((victim) => values.victim.includes(victim)),
    progress: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}
