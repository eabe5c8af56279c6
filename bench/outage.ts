/**
 * A busy node is away for hours, and comes back with all that it recorded meanwhile: how much memory
 * what waits for it takes, and how long it takes to catch up. In simulated time, as fast as the
 * machine can; the journal is made while it is read.
 *
 *   node bench/outage.ts [--hours 12] [--rate 100] [--parking when_behind|never] [--return 1]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ClickHouseDeriveStore } from "../src/reconcile/derive/derive-store.ts";
import { Derive, type DeriveJournal, type JournalBatch } from "../src/reconcile/derive/derive.ts";
import type { ParkingPolicy } from "../src/reconcile/row/parking.ts";
import { ClickHouseRulingStore } from "../src/reconcile/row/ruling-store.ts";
import { systemClock } from "../src/std/clock.ts";
import { openStore } from "../src/store/open-store.ts";
import { outageMesh } from "../test/simulate/outage-mesh.ts";
import { type ReplayRecord, SERVER } from "../test/simulate/replay-mesh.ts";
import { SimNode } from "../test/simulate/sim-node.ts";

export interface OutageFigures {
  readonly halves: number;
  readonly seconds: number;
  readonly rssMaxMib: number;
  readonly liveMax: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

export interface OutageBench {
  readonly hours: number;
  /** Connections a second; four of five have the node that goes away at one end. */
  readonly rate: number;
  readonly parking: ParkingPolicy;
  /** Whether it comes back. */
  readonly returns: boolean;
}

const STEP_MS = 5_000;
const NODES = 9;
const HOUR_STEPS = 3_600_000 / STEP_MS;
/** Before the outage, so that clocks are known. */
const CALM_STEPS = HOUR_STEPS / 4;
/** Batches that the node delivers in the time of one, when it is back. */
const CATCH_UP = 24;
/** As long as there is more, it is worked on without pause. */
const BACKLOG = 1_000;
const MIB = 2 ** 20;

/** Holds nothing but what was not read yet. */
class MadeJournal implements DeriveJournal {
  readonly #records: Iterator<ReplayRecord>;
  readonly #server = new SimNode(SERVER);
  #ahead: IteratorResult<ReplayRecord>;
  #next = 0;
  nowMs = 0;
  isOpen = false;

  constructor(records: Iterator<ReplayRecord>) {
    this.#records = records;
    this.#ahead = records.next();
  }

  get serverId(): string {
    return this.#server.id;
  }

  get isRead(): boolean {
    return this.#ahead.done === true;
  }

  get end(): number {
    return this.#next + (this.isOpen && !this.isRead ? BACKLOG : 0);
  }

  read(_from: number, _to: number, bytesMax: number): Promise<JournalBatch[]> {
    const batches: JournalBatch[] = [];
    for (let bytes = 0; bytes < bytesMax && this.#ahead.done !== true;) {
      const record = this.#ahead.value;
      const frame = "frame" in record ? record.frame : this.#seal(record);
      const { receivedMs } = record;
      this.nowMs = receivedMs;
      batches.push({ index: this.#next++, receivedMs, type: "batch", frame });
      bytes += frame.length;
      this.#ahead = this.#records.next();
    }
    return Promise.resolve(batches);
  }

  grown(): Promise<void> {
    return pause(50);
  }

  #seal(record: Extract<ReplayRecord, { readonly server: unknown }>): Uint8Array {
    for (const entry of record.server) this.#server.emit(entry);
    return this.#server.seal(record.receivedMs);
  }
}

export async function benchOutage(bench: OutageBench): Promise<OutageFigures> {
  const { hours, rate, parking, returns } = bench;
  const from = CALM_STEPS;
  const to = from + Math.round(hours * HOUR_STEPS);
  const afterSteps = Math.round((to - from) / (CATCH_UP - 1)) + CALM_STEPS;
  const journal = new MadeJournal(
    outageMesh({
      seed: 1,
      nodes: NODES,
      stepMs: STEP_MS,
      steps: returns ? to + afterSteps : to,
      connectionsPerStep: Math.round((rate * STEP_MS) / 1000),
      catchUp: CATCH_UP,
      away: [{ node: 0, from, to }],
    }),
  );
  const directory = await mkdtemp(join(tmpdir(), "tallystick-bench-"));
  const clock = systemClock();
  const store = await openStore({ clock, dataDir: join(directory, "store") });
  try {
    const derive = await Derive.open({
      journal,
      store: new ClickHouseDeriveStore(store.client),
      rulings: new ClickHouseRulingStore(store.client),
      intent: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
      serverId: journal.serverId,
      clock,
      parking,
      journalFindings: () => Promise.resolve(),
      log: (line) => console.error(line),
    });
    journal.isOpen = true;
    const begunMs = performance.now();
    const run = derive.run();
    const beganMs = journal.nowMs;
    let [shown, rssMax, liveMax] = [0, 0, 0];
    while (!journal.isRead || derive.committed < journal.end) {
      await pause(200);
      const { rss } = process.memoryUsage();
      rssMax = Math.max(rssMax, rss);
      liveMax = Math.max(liveMax, derive.reconcile.liveCount);
      const half = Math.floor((journal.nowMs - beganMs) / 1_800_000);
      if (half <= shown) continue;
      shown = half;
      const wallS = Math.round((performance.now() - begunMs) / 1000);
      const [live, parked] = [derive.reconcile.liveCount, derive.reconcile.parking.count];
      console.log(
        `${(half / 2).toFixed(1)} h after ${wallS} s: ${Math.round(rss / MIB)} MiB, ${live} halves in memory, ${parked} parked`,
      );
    }
    derive.stop();
    await run;
    const result = await store.client.query({
      query:
        "SELECT toString(verdict) AS verdict, toUInt32(count()) AS n, toUInt32(countIf(two_halves)) AS two FROM connections GROUP BY verdict",
      format: "JSONEachRow",
    });
    const rows = await result.json<{ verdict: string; n: number; two: number }>();
    return {
      halves: rows.reduce((sum, { n, two }) => sum + n + two, 0),
      seconds: Math.round((performance.now() - begunMs) / 1000),
      rssMaxMib: Math.round(rssMax / MIB),
      liveMax,
      verdicts: Object.fromEntries(rows.map(({ verdict, n }) => [verdict, n])),
    };
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      hours: { type: "string", default: "12" },
      rate: { type: "string", default: "100" },
      parking: { type: "string", default: "when_behind" },
      return: { type: "string", default: "1" },
    },
  });
  const figures = await benchOutage({
    hours: Number(values.hours),
    rate: Number(values.rate),
    parking: values.parking === "never" ? "never" : "when_behind",
    returns: values.return === "1",
  });
  console.log(figures);
}

if (import.meta.main) await main();
