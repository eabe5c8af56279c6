/**
 * Parking makes no difference: the same journal gives the same rows and findings, whether halves that
 * wait for a node stay in memory, or are parked in the store as soon as they may be.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import {
  ClickHouseDeriveStore,
  type DeriveStore,
} from "../../src/reconcile/derive/derive-store.ts";
import type { ParkingPolicy } from "../../src/reconcile/row/parking.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { systemClock } from "../../src/std/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { TABLES } from "../../src/store/schema.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { outageMesh, type OutagePlan } from "../simulate/outage-mesh.ts";
import { replayMesh } from "../simulate/replay-mesh.ts";
import { linesOf, open, ReplayJournal, runLive, runTo } from "./replay-run.ts";

const SEEDS = [1, 2, 3];
const RANGE_MAX = 60;
const STOPS_APART = 40;

interface Way {
  readonly name: string;
  readonly rangeMax: number;
  /** Records until the next stop of the server; 0: none. */
  readonly stopsApart: number;
  readonly parking: ParkingPolicy;
}

const WAYS: readonly Way[] = [
  { name: "in small ranges", rangeMax: RANGE_MAX, stopsApart: 0, parking: "at_once" },
  {
    name: "stopped and opened anew",
    rangeMax: RANGE_MAX,
    stopsApart: STOPS_APART,
    parking: "at_once",
  },
];
/** Where a server is stopped once an hour. */
const WHEN_BEHIND: Way = {
  name: "stopped and opened anew",
  rangeMax: RANGE_MAX,
  stopsApart: 500,
  parking: "when_behind",
};

/** Rows of all tables, without what only says what is parked; what nodes' rows remember is of ranges. */
function plain(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !line.startsWith("memory of"))
    .map((line) => line.replace(/"parked":\d,/, ""));
}

/** All of it, into an empty store. */
async function run<S extends DeriveStore>(
  journal: ReplayJournal,
  store: S,
  { way, random }: { readonly way: Way; readonly random: SeededRandom },
): Promise<S> {
  const { rangeMax, stopsApart } = way;
  journal.pieceMax = () => random.integer(1, rangeMax);
  const options = { journal, store, parking: way.parking, journalFindings: () => undefined };
  for (let reached = 0; reached < journal.end;) {
    const end = stopsApart === 0 ? journal.end : reached + random.integer(1, stopsApart);
    reached = await runTo(end, options);
  }
  return store;
}

for (const seed of SEEDS) {
  describe(`a mesh in which everything goes wrong (${seed}), with all parked at once`, async () => {
    const random = new SeededRandom(seed);
    const first = new MemoryStore();
    const { records } = await runLive(replayMesh(seed), first, random, { parking: "never" });
    const expected = plain(await linesOf(first));

    for (const way of WAYS) {
      it(`is the same ${way.name}`, async () => {
        const store = await run(new ReplayJournal(records), new MemoryStore(), { way, random });
        assert.deepEqual(plain(await linesOf(store)), expected);
        assert.ok(store.unparked > 50, `only ${store.unparked} halves came back`);
      });
    }
  });
}

const MINUTES = { stepMs: 20_000, nodes: 4, connectionsPerStep: 4, catchUp: 12, ports: 40 };
/** The first node is away for an hour and a half. */
const AWAY = { node: 0, from: 90, to: 360 };
const USUAL = { ...MINUTES, lacking: 0.04, steps: 600, quietFrom: 480, away: [AWAY] };

const OUTAGES: Readonly<Record<string, Omit<OutagePlan, "seed">>> = {
  "comes back with its spool": USUAL,
  "comes back at once": { ...USUAL, catchUp: 1_000 },
  "comes back while another is away": {
    ...USUAL,
    away: [AWAY, { node: 1, from: 200, to: 420 }],
  },
  "comes back as clocks differ": { ...USUAL, offsetsMs: [-31_000, 12_000, -700, 0] },
  "comes back, having lost what it recorded": {
    ...USUAL,
    off: [AWAY],
    said: [
      {
        node: 0,
        step: AWAY.to,
        entries: (atMs) => [
          {
            kind: "gap",
            atMs,
            cause: "restart",
            count: null,
            fromMs: atMs - 5_400_000,
            toMs: atMs,
          },
          { kind: "start", atMs, facts: { bootId: "mesh-0" } },
        ],
      },
    ],
  },
  "opts out as soon as it is back": {
    ...USUAL,
    off: [{ ...AWAY, from: AWAY.to + 1, to: Infinity }],
    said: [
      { node: 0, step: AWAY.to, entries: (atMs) => [{ kind: "opt_out", atMs, origin: "flag" }] },
    ],
  },
  "was stopped meanwhile": {
    ...USUAL,
    off: [{ ...AWAY, from: 151, to: 300 }],
    said: [
      { node: 0, step: 150, entries: (atMs) => [{ kind: "stop", atMs, reason: "shutdown" }] },
      {
        node: 0,
        step: 300,
        entries: (atMs) => [{ kind: "start", atMs, facts: { bootId: "mesh-0" } }],
      },
    ],
  },
  "was stopped meanwhile, for good": {
    ...USUAL,
    off: [{ ...AWAY, from: 151, to: Infinity }],
    said: [{ node: 0, step: 150, entries: (atMs) => [{ kind: "stop", atMs, reason: "shutdown" }] }],
  },
  "finds its address with another": {
    ...USUAL,
    said: [
      {
        node: 2,
        step: 200,
        entries: (atMs) => [
          { kind: "addresses", atMs, networks: { default: ["10.7.0.1", "10.7.0.3"] } },
        ],
      },
    ],
  },
  "comes back, and another had its address for a while": {
    ...USUAL,
    said: [
      {
        node: 2,
        step: 200,
        entries: (atMs) => [
          { kind: "addresses", atMs, networks: { default: ["10.7.0.1", "10.7.0.3"] } },
        ],
      },
      {
        node: 2,
        step: 250,
        entries: (atMs) => [{ kind: "addresses", atMs, networks: { default: ["10.7.0.3"] } }],
      },
    ],
  },
  "stays away, and is revoked": {
    ...USUAL,
    away: [{ ...AWAY, to: Infinity }],
    ruled: [
      {
        step: 400,
        entries: (atMs, [node]) => [
          { kind: "revoked", atMs, node: node?.id ?? "", epoch: 0, lastBatch: 89 },
        ],
      },
    ],
  },
  "stays away for more than a day": {
    ...USUAL,
    stepMs: 60_000,
    connectionsPerStep: 1,
    steps: 1_750,
    quietFrom: 300,
    away: [{ ...AWAY, to: Infinity }],
  },
};

for (const [name, plan] of Object.entries(OUTAGES)) {
  describe(`a node that is away for hours and ${name}`, async () => {
    const random = new SeededRandom(9);
    const first = new MemoryStore();
    const { records } = await runLive([...outageMesh({ ...plan, seed: 5 })], first, random, {
      parking: "never",
    });
    const expected = plain(await linesOf(first));

    for (const way of [...WAYS, WHEN_BEHIND]) {
      it(`is judged the same, with parking ${way.parking}, ${way.name}`, async () => {
        const store = await run(new ReplayJournal(records), new MemoryStore(), { way, random });
        assert.deepEqual(plain(await linesOf(store)), expected);
        assert.ok(store.unparked > 100, `only ${store.unparked} halves came back`);
      });
    }
  });
}

test("a restart takes up nothing of what is parked, and knows of it", async () => {
  const random = new SeededRandom(12);
  const plan = { ...USUAL, lacking: 0, steps: AWAY.to - 10, seed: 7 };
  const journal = new ReplayJournal([...outageMesh(plan)]);
  const store = await run(journal, new MemoryStore(), { way: WHEN_BEHIND, random });
  const waiting = store.rows("connection_rows").filter((row) => row["settled"] === 0);
  const derive = await open({
    journal: new ReplayJournal(),
    store,
    journalFindings: () => undefined,
  });
  const { liveCount, parking } = derive.reconcile;
  assert.ok(parking.count > 700, `${parking.count} are parked`);
  // Five minutes of the outage's beginning wait in memory, and as much of its end.
  assert.ok(liveCount < 150, `${liveCount} are in memory`);
  assert.ok(liveCount + parking.count >= waiting.length);
});

test("the embedded engine gives back what is parked in it", async () => {
  const random = new SeededRandom(11);
  const plan = { ...USUAL, steps: 200, quietFrom: 120, away: [{ node: 0, from: 30, to: 110 }] };
  const { records } = await runLive(
    [...outageMesh({ ...plan, seed: 6 })],
    new MemoryStore(),
    random,
  );
  const directory = await mkdtemp(join(tmpdir(), "tallystick-parking-"));
  const engine = await openStore({ clock: systemClock(), dataDir: join(directory, "store") });
  try {
    const found: string[] = [];
    for (const parking of ["never", "at_once"] as const) {
      for (const table of Object.keys(TABLES)) {
        await engine.client.command({ query: `DROP TABLE IF EXISTS ${table} SYNC` });
      }
      const way = { name: "", rangeMax: 150, stopsApart: 400, parking };
      const store = new ClickHouseDeriveStore(engine.client);
      await run(new ReplayJournal(records), store, { way, random });
      const result = await engine.client.query({
        query: "SELECT * EXCEPT (version, parked) FROM connection_rows FINAL ORDER BY ALL",
        format: "JSONCompactEachRow",
      });
      found.push(await result.text());
    }
    const [never, atOnce] = found.map((text) => text.trimEnd().split("\n"));
    assert.ok((never?.length ?? 0) > 300);
    assert.deepEqual(atOnce, never);
  } finally {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }
});
