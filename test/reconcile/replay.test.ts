/**
 * The same journal gives the same verdicts and findings, byte by byte: in one go or stopped and
 * opened anew at any record, in ranges of any size, in another interleaving of the nodes, and all over
 * again from the journal that holds the findings of the first time, of which none is journaled twice.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import type { ClickHouseClient } from "@clickhouse/client";
import { ClickHouseDeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import type { FindingEntry, Ruling, RulingEntry } from "../../src/format/entry.ts";
import { ClickHouseRulingStore } from "../../src/reconcile/row/ruling-store.ts";
import { DecodeThread } from "../../src/reconcile/derive/decode-thread.ts";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { systemClock } from "../../src/std/clock.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { openStore } from "../../src/store/open-store.ts";
import { TABLES } from "../../src/store/schema.ts";
import { MemoryRulings } from "../simulate/memory-rulings.ts";
import { MemoryStore } from "../simulate/memory-store.ts";
import { replayMesh, type ReplayRecord, SMALL } from "../simulate/replay-mesh.ts";
import {
  interleaved,
  linesOf,
  memoriesOf,
  ReplayJournal,
  runLive,
  type RunOptions,
  runTo,
} from "./replay-run.ts";

const SEEDS = [1, 2, 3];
/** Records between two stops of the server, at most. */
const STOPS_APART = 40;
const RANGE_MAX = 60;

interface Way {
  readonly name: string;
  readonly order?: (records: readonly ReplayRecord[], random: SeededRandom) => ReplayRecord[];
  readonly rangeMax: number;
  /** Records until the next stop; 0: none. */
  readonly stopsApart: number;
}

const WAYS: readonly Way[] = [
  { name: "rebuilt at once", rangeMax: Infinity, stopsApart: 0 },
  { name: "in small ranges", rangeMax: RANGE_MAX, stopsApart: 0 },
  { name: "stopped and opened anew", rangeMax: RANGE_MAX, stopsApart: STOPS_APART },
  { name: "interleaved otherwise", order: interleaved, rangeMax: RANGE_MAX, stopsApart: 0 },
];

/** All of it, in pieces. Returns what was journaled, which must be nothing. */
async function runAll(
  { rangeMax, stopsApart }: Way,
  options: Omit<RunOptions, "journalFindings">,
  random: SeededRandom,
): Promise<FindingDraft[]> {
  const { journal } = options;
  const journaled: FindingDraft[] = [];
  const journalFindings = (findings: readonly FindingDraft[]) => journaled.push(...findings);
  journal.pieceMax = () => (rangeMax === Infinity ? rangeMax : random.integer(1, rangeMax));
  for (let reached = 0; reached < journal.end;) {
    const end = stopsApart === 0 ? journal.end : reached + random.integer(1, stopsApart);
    reached = await runTo(end, { ...options, journalFindings });
  }
  return journaled;
}

/** Where each record stood at first. */
function placesOf(
  before: readonly ReplayRecord[],
  after: readonly ReplayRecord[],
): Map<number, number> {
  const places = new Map(before.map((record, index) => [record, index]));
  return new Map(after.map((record, index) => [index, places.get(record) ?? -1]));
}

/** Of every third contradiction people say that it is harmless, and of some of these that it is not. */
function people(store: MemoryStore, random: SeededRandom) {
  const excused: string[] = [];
  return {
    rulings: new MemoryRulings(store),
    rule(told: readonly FindingEntry[]): RulingEntry[] {
      return told.flatMap(({ id, connection, state, atMs }) => {
        if (connection === "" || state !== "open" || !random.chance(0.33)) return [];
        excused.push(id);
        const again = random.chance(0.3) ? excused.shift() : undefined;
        const said = word(id, "excused", atMs);
        return again === undefined ? [said] : [said, word(again, "reopened", atMs)];
      });
    },
  };
}

function word(finding: string, ruling: Ruling, atMs: number): RulingEntry {
  const said = { reason: "a switch was replaced", actor: "admin" };
  return { kind: "ruling", atMs, finding, ruling, ...said };
}

const WANTED = [
  "accused",
  "missing-half",
  "counters-differ",
  "contested-address",
  "rollback",
  "clock-step",
  "undeclared-hole",
  "opted-out",
  "exceeds-interfaces",
  "by_hand",
];

function missingIn(lines: readonly string[]): string[] {
  return WANTED.filter((one) => !lines.some((line) => line.includes(one)));
}

/** The server's own way; in the others a batch is decoded when its turn comes. */
it("is the same when it is decoded in a thread of its own", async () => {
  const random = new SeededRandom(1);
  const first = new MemoryStore();
  const { records } = await runLive(replayMesh(1), first, random);
  await using decoder = new DecodeThread();
  const store = new MemoryStore();
  const journal = new ReplayJournal([...records]);
  const way = { name: "", rangeMax: RANGE_MAX, stopsApart: STOPS_APART };
  assert.deepEqual(await runAll(way, { journal, store, decoder }, random), []);
  assert.deepEqual(await linesOf(store), await linesOf(first));
});

for (const seed of SEEDS) {
  describe(`a mesh in which everything goes wrong (${seed}) is the same`, async () => {
    const random = new SeededRandom(seed);
    const first = new MemoryStore();
    const { records } = await runLive(replayMesh(seed), first, random, {
      people: people(first, random),
    });
    const expected = await linesOf(first);

    it("in that all of it happens", () => {
      assert.deepEqual(missingIn(expected), []);
    });

    for (const way of WAYS) {
      it(way.name, async () => {
        const ordered = way.order?.(records, random) ?? [...records];
        const store = new MemoryStore();
        const journal = new ReplayJournal(ordered);
        const rulings = new MemoryRulings(store);
        const journaled = await runAll(way, { journal, store, rulings }, random);
        assert.deepEqual(await linesOf(store, placesOf(records, ordered)), expected);
        assert.deepEqual(journaled, []);
      });
    }
  });
}

/** Of every table but what only counts ranges, as the engine has them. */
async function rowsOf(client: ClickHouseClient): Promise<string[]> {
  const lines: string[] = [];
  for (const table of Object.keys(TABLES)) {
    if (table === "derive_cursor") continue;
    const left = {
      connection_rows: "version",
      finding_rows: "version",
      node_rows: "version, memory",
    };
    const except = Object.hasOwn(left, table)
      ? ` EXCEPT (${left[table as keyof typeof left]})`
      : "";
    const final = except === "" ? "" : "FINAL";
    const result = await client.query({
      query: `SELECT *${except} FROM ${table} ${final} ORDER BY ALL`,
      format: "JSONCompactEachRow",
    });
    lines.push(
      ...(await result.text())
        .trimEnd()
        .split("\n")
        .map((row) => `${table} ${row}`),
    );
  }
  return lines;
}

test("the embedded engine holds the same rows, whether or not the server was stopped", async () => {
  const random = new SeededRandom(4);
  const { records } = await runLive(replayMesh(4, SMALL), new MemoryStore(), random);
  const directory = await mkdtemp(join(tmpdir(), "tallystick-replay-"));
  const engine = await openStore({ clock: systemClock(), dataDir: join(directory, "store") });
  try {
    const found: string[][] = [];
    for (const [rangeMax, stopsApart] of [
      [Infinity, 0],
      [200, 200],
    ] as const) {
      for (const table of Object.keys(TABLES)) {
        await engine.client.command({ query: `DROP TABLE IF EXISTS ${table} SYNC` });
      }
      const store = new ClickHouseDeriveStore(engine.client);
      const way = { name: "", rangeMax, stopsApart };
      const journal = new ReplayJournal(records);
      const rulings = new ClickHouseRulingStore(engine.client);
      assert.deepEqual(await runAll(way, { journal, store, rulings }, random), []);
      const memories = await memoriesOf(store);
      found.push([...(await rowsOf(engine.client)), ...memories.toSorted()]);
    }
    const [first, second] = found;
    assert.ok((first?.length ?? 0) > records.length);
    assert.deepEqual(second, first);
  } finally {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }
});
