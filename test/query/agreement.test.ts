/** SQL and predicate are two readings of one query: ten thousand pairs of query and row, and they agree on each. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Row } from "../../src/query/catalogue.ts";
import type { Check } from "../../src/query/check.ts";
import { toPredicate } from "../../src/query/predicate.ts";
import { QueryError } from "../../src/query/query-error.ts";
import { toSql } from "../../src/query/sql.ts";
import { understand } from "../../src/query/understand.ts";
import { systemClock } from "../../src/std/clock.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";
import { CATALOGUE, COLUMNS, randomQuery, randomRow } from "./random-query.ts";

const ROWS = 100;
const QUERIES = 400;
const context = { catalogue: CATALOGUE, nowMs: Date.parse("2026-03-01T02:00:00Z") };
const random = new SeededRandom(7);
const rows: readonly Row[] = Array.from({ length: ROWS }, (_, id) => randomRow(random, id));

let dataDir: string;
let store: Store;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tallystick-query-"));
  store = await openStore({ dataDir, clock: systemClock() });
  await store.client.command({
    query: `CREATE TABLE things (${COLUMNS}) ENGINE = MergeTree ORDER BY id`,
  });
  await store.client.insert({
    table: "things",
    values: [...rows],
    format: "JSONEachRow",
    clickhouse_settings: { date_time_input_format: "best_effort" },
  });
});

after(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function found(check: Check): Promise<number[]> {
  const { sql, params } = toSql(check);
  const answer = await store.client.query({
    query: `SELECT id FROM things WHERE ${sql} ORDER BY id`,
    query_params: { ...params },
    format: "JSONCompactEachRow",
  });
  return (await answer.json<[number]>()).map(([id]) => id);
}

function understood(query: string): Check | undefined {
  try {
    return understand(query, context);
  } catch (error) {
    assert.ok(error instanceof QueryError, `${query}: ${String(error)}`);
    return undefined;
  }
}

describe("SQL and predicate", () => {
  it(`agree on ${QUERIES * ROWS} pairs of query and row`, async () => {
    let pairs = 0;
    let passing = 0;
    let wrong = 0;
    while (pairs < QUERIES * ROWS) {
      const query = randomQuery(random, rows);
      const check = understood(query);
      if (check === undefined) {
        wrong++;
        continue;
      }
      const predicate = toPredicate(check);
      const expected = rows.filter(predicate).map(({ id }) => Number(id));
      assert.deepEqual(await found(check), expected, JSON.stringify(query));
      pairs += ROWS;
      passing += expected.length;
    }
    // Queries that find all, or nothing, would agree about nothing.
    assert.ok(passing > pairs / 10 && passing < pairs * 0.9, `${passing} of ${pairs} pass`);
    assert.ok(wrong < QUERIES, `${wrong} queries were not understood`);
  });
});
