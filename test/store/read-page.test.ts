/**
 * Pages over rows of which most have an older version still in the store, which says something else:
 * each row is listed once, by its newest version, however many of the older ones fit.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ClickHouseDeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { CONNECTION_LISTING } from "../../src/serve/query/connection-list.ts";
import { readHistogram } from "../../src/serve/query/histogram.ts";
import { readPage } from "../../src/serve/query/read-page.ts";
import { storeReader, type Row, type StoreReader } from "../../src/serve/query/store-reader.ts";
import { whereConditions } from "../../src/serve/query/where.ts";
import { systemClock } from "../../src/std/clock.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";

const ROWS = 3_000;
const FROM_MS = Date.parse("2026-03-01T10:00:00Z");
const nowMs = FROM_MS + 3_600_000;
/** Rows that are pending in their newest version too: two of the oldest, one of the newest. */
const PENDING = [0, 1, ROWS - 1];

let dataDir: string;
let store: Store;
let reader: StoreReader;
/** Statements since the last look. */
let asked = 0;

async function insert(version: number, verdict: string, where: string): Promise<void> {
  await store.client.command({
    query: `INSERT INTO connection_rows (k_opened, k_node, k_epoch, k_seq, version, verdict, b_role)
      SELECT fromUnixTimestamp64Milli(toInt64(${FROM_MS} + number), 'UTC'), toFixedString('node', 16), 0, number,
        ${version}, '${verdict}', 255
      FROM numbers(${ROWS}) WHERE ${where}`,
  });
}

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tallystick-pages-"));
  store = await openStore({ dataDir, clock: systemClock() });
  await new ClickHouseDeriveStore(store.client).prepare();
  await store.client.command({ query: "SYSTEM STOP MERGES connection_rows" });
  const inner = storeReader(() => store.client);
  reader = {
    ...inner,
    rows: (statement) => {
      asked++;
      return inner.rows(statement);
    },
  };
  await insert(1, "pending", "1");
  await insert(2, "matched", `number NOT IN (${PENDING.join(", ")})`);
});

after(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function all(where: string, rowsPerPage: number): Promise<Row[]> {
  const conditions = whereConditions(where, CONNECTION_LISTING.catalogue, nowMs);
  const context = { nowMs, committed: 10 };
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const request = { limit: rowsPerPage, ...(cursor === undefined ? {} : { cursor }) };
    const page = await readPage(reader, {
      listing: CONNECTION_LISTING,
      request,
      conditions,
      context,
    });
    rows.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
}

const places = (rows: readonly Row[]) =>
  rows.map((row) => Date.parse(String(row["opened_at"])) - FROM_MS);
const newestFirst = (from: readonly number[]) => from.toSorted((a, b) => b - a);
const EVERY = Array.from({ length: ROWS }, (_, n) => n);

describe("pages of rows with older versions", () => {
  it("list every row once, newest first", async () => {
    for (const rowsPerPage of [700, 1_000, ROWS]) {
      assert.deepEqual(places(await all("", rowsPerPage)), newestFirst(EVERY));
    }
  });

  it("list by the newest version", async () => {
    const matched = EVERY.filter((n) => !PENDING.includes(n));
    assert.deepEqual(places(await all("verdict:matched", 900)), newestFirst(matched));
  });

  it("look further where older versions alone fit", async () => {
    asked = 0;
    assert.deepEqual(places(await all("verdict:pending", 2)), newestFirst(PENDING));
    assert.ok(asked <= 12, `${asked} statements`);
  });

  it("end where nothing fits", async () => {
    assert.deepEqual(await all("verdict:missing", 10), []);
  });

  it("are counted by the newest version", async () => {
    const context = { nowMs, committed: 10 };
    const { parts, stepMs } = await readHistogram(reader, { partsMax: 10_000 }, [], context);
    assert.equal(stepMs, 1_000);
    assert.deepEqual(
      parts.map(({ atMs, counts }) => [atMs - FROM_MS, counts]),
      [
        [0, { pending: 2, matched: 998 }],
        [1_000, { matched: 1_000 }],
        [2_000, { matched: 999, pending: 1 }],
      ],
    );
  });
});
