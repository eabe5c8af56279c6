/**
 * The whole server, with its store, against mutated batches and requests on all its routes, while two
 * honest nodes go on reporting. `node test/fuzz/run-server-fuzz.ts [cases] [seed]` prints the
 * report and exits 1 on a failure.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SimNode } from "../simulate/sim-node.ts";
import { PROBLEMS } from "../../src/serve/problem-rows.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { HttpNode, post } from "../faults/http-node.ts";
import { MortalServer } from "../faults/mortal-server.ts";
import { PairLoad } from "../faults/pair-load.ts";
import { auditJournal } from "../ingest/journal-audit.ts";
import { enrolmentBody } from "../serve/joined-node.ts";
import { apiRequest } from "./api-mutants.ts";
import { type FuzzReport, fuzzIngest } from "./ingest-fuzz.ts";

const LANES = 16;
/** Of the cases, those to the people's routes. */
const API_SHARE = 0.25;
/** The server cuts a request that does not arrive after 30 s. */
const HANG_MS = 35_000;
/** What a flat memory may still move between its second and its last tenth. */
const RSS_GROWTH_MAX = 1.15;
/** The collector's own slack; a short run is over before its memory has settled. */
const RSS_SLACK_BYTES = 32 * 1024 * 1024;
const CASES_FOR_MEMORY_MIN = 20_000;
/** A short run would wait longer for the bodies that stop arriving than for all else; ingest-fuzz.ts has them with a server of less patience. */
const CASES_FOR_SLOW_MIN = 10_000;

/** Some ticks of a server on a busy machine. */
const DECIDED_MS_MAX = 60_000;

interface Memory {
  readonly earlyBytes: number;
  readonly lateBytes: number;
}

export interface ServerFuzzReport extends Omit<FuzzReport, "rssEarlyBytes" | "rssLateBytes"> {
  readonly server: Memory;
  readonly store: Memory;
  /** Connections that the honest nodes reported meanwhile. */
  readonly honestConnections: number;
}

export async function runServerFuzz(
  cases: number,
  seed: number,
  progress: (done: number) => void = () => undefined,
): Promise<ServerFuzzReport> {
  await using server = new MortalServer();
  await server.start();
  const nodes = await enrolLanes(server);
  const honest = await honestPair(server);
  const running = honest.run();
  const storePid = server.storePid;
  const memory = new MemorySamples(server);
  const token = readFileSync(join(server.dir, "admin.token"), "utf8").trim();
  const {
    rssEarlyBytes: _early,
    rssLateBytes: _late,
    ...report
  } = await fuzzIngest({
    url: server.url,
    nodes,
    cases,
    seed,
    hangMs: HANG_MS,
    withSlow: cases >= CASES_FOR_SLOW_MIN,
    other: {
      share: API_SHARE,
      next: (random) => apiRequest(random, token),
      codes: new Map(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])),
    },
    progress: (done) => {
      memory.take();
      progress(done);
    },
  });
  honest.end();
  await running;
  const failures = [...report.failures];
  if (!server.running) failures.push(`the server is gone: ${server.stderr.slice(-2_000)}`);
  if (server.storePid !== storePid)
    failures.push(`the store crashed: ${server.stderr.slice(-2_000)}`);
  if (cases >= CASES_FOR_MEMORY_MIN) failures.push(...memory.failures());
  failures.push(...(await checkHonest(server, honest)), ...(await checkJournal(server, nodes)));
  const { connections } = honest;
  return { ...report, failures, honestConnections: connections, ...memory.report() };
}

async function enrolLanes(server: MortalServer): Promise<SimNode[]> {
  const key = await server.api.enrolmentKey();
  const nodes = Array.from({ length: LANES }, () => new SimNode());
  for (const [lane, node] of nodes.entries()) {
    const body = JSON.stringify(enrolmentBody(node, key, `lane-${lane}`));
    const { status } = await post(`${server.url}/ingest/v1/enrol`, "application/json", body);
    if (status !== 200) throw new Error(`lane ${lane} cannot enrol: ${status}`);
  }
  return nodes;
}

async function honestPair(server: MortalServer): Promise<PairLoad> {
  const key = await server.api.enrolmentKey();
  const node = (end: number) => new HttpNode(`pair-0-${end}`, `172.29.3.${end}`, () => server.url);
  const pair = new PairLoad([node(1), node(2)], new SeededRandom(1));
  for (const each of pair.nodes) await each.enrol(key);
  pair.begin();
  return pair;
}

async function checkHonest(server: MortalServer, honest: PairLoad): Promise<string[]> {
  await server.api.caughtUp(300_000);
  const sql =
    "SELECT verdict, counters, count() FROM connections WHERE initiator_ip LIKE '172.29.3.%' GROUP BY ALL";
  const expected = JSON.stringify([["matched", "final", honest.connections]]);
  let found = "";
  // What is final is decided when the server ticks.
  for (const endMs = performance.now() + DECIDED_MS_MAX; performance.now() < endMs;) {
    found = JSON.stringify(await server.api.sql(sql));
    if (found === expected) return [];
    await delay(200);
  }
  return [`the honest nodes: ${found}, not ${expected}`];
}

/** Throws when a chain, a signature or a payload of what was accepted does not hold. */
async function checkJournal(server: MortalServer, nodes: readonly SimNode[]): Promise<string[]> {
  const answer = (await server.api.call("GET", "/api/v1/nodes")) as {
    items: readonly { id: string; public_key: string }[];
  };
  const known = answer.items.map(({ id, public_key: key }) => ({
    id,
    publicKey: Buffer.from(key, "base64url"),
  }));
  const code = await server.stop();
  const { chains } = await auditJournal(server.dir, known);
  const wrong = nodes.filter(
    ({ id, batchNo, head }) =>
      batchNo > 0 && chains.get(id)?.at(-1) !== Buffer.from(head).toString("hex"),
  );
  return [
    ...(code === 0 ? [] : [`the server stopped with ${code}`]),
    ...wrong.map(({ id }) => `node ${id} ends elsewhere`),
  ];
}

/** Resident memory of the server and of its store, from time to time. */
class MemorySamples {
  readonly #server: MortalServer;
  readonly #samples: { server: number; store: number }[] = [];

  constructor(server: MortalServer) {
    this.#server = server;
  }

  take(): void {
    const { pid, storePid } = this.#server;
    this.#samples.push({ server: residentBytes(pid), store: residentBytes(storePid ?? 0) });
  }

  report(): Record<"server" | "store", Memory> {
    return { server: this.#memory("server"), store: this.#memory("store") };
  }

  failures(): string[] {
    return Object.entries(this.report()).flatMap(([name, { earlyBytes, lateBytes }]) =>
      lateBytes <= earlyBytes * RSS_GROWTH_MAX + RSS_SLACK_BYTES
        ? []
        : [`resident memory of the ${name} grew from ${earlyBytes} to ${lateBytes} bytes`],
    );
  }

  #memory(of: "server" | "store"): Memory {
    const tenth = Math.floor(this.#samples.length / 10);
    const median = (from: number, to: number) =>
      this.#samples
        .slice(from, to)
        .map((sample) => sample[of])
        .toSorted((a, b) => a - b)[Math.floor(tenth / 2)] ?? 0;
    return {
      earlyBytes: median(tenth, 2 * tenth),
      lateBytes: median(this.#samples.length - tenth, this.#samples.length),
    };
  }
}

function residentBytes(pid: number): number {
  try {
    const [, kib = "0"] =
      /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) * 1024;
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const [cases = 100_000, seed = 1] = process.argv.slice(2).map(Number);
  const report = await runServerFuzz(cases, seed, (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${cases} `);
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}
