/** Which databases elsewhere are taken, and what of them is dropped for another schema. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { createClient, type ClickHouseClient } from "@clickhouse/client";
import { ClickHouseDeriveStore } from "../../src/reconcile/derive/derive-store.ts";
import { systemClock } from "../../src/std/clock.ts";
import { claimDatabase } from "../../src/store/foreign-tables.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";

const dataDir = mkdtempSync(join(tmpdir(), "tallystick-foreign-"));
const FIRST = "0a".repeat(16);
const SECOND = "0b".repeat(16);
let store: Store;
const clients: ClickHouseClient[] = [];

before(async () => {
  store = await openStore({ dataDir, clock: systemClock() });
});
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function databaseWith(statements: readonly string[]): Promise<ClickHouseClient> {
  const name = `d${clients.length}`;
  await store.client.command({ query: `CREATE DATABASE ${name}` });
  const client = createClient({ ...store.address, database: name });
  clients.push(client);
  for (const query of statements) await client.command({ query });
  return client;
}

async function tablesOf(client: ClickHouseClient): Promise<string[]> {
  const query = "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name";
  const answer = await client.query({ query, format: "JSONEachRow" });
  return (await answer.json<{ name: string }>()).map(({ name }) => name);
}

const ROWS = "ENGINE = MergeTree ORDER BY n AS SELECT 7 AS n";
const MARK = "(x UInt8) ENGINE = Memory";
const LATER_SCHEMA = `CREATE TABLE schema_7 ${MARK}`;

const databasesBefore: [title: string, statements: string[], refused?: RegExp][] = [
  ["an empty one", []],
  ["one of a schema without owner", [LATER_SCHEMA, `CREATE TABLE log_rows ${ROWS}`]],
  ["one that was marked only", [`CREATE TABLE tallystick_store ${MARK}`]],
  ["with another table", [`CREATE TABLE orders ${ROWS}`], /other tables, orders, /],
  ...["logs", "nodes", "connections", "findings", "halves", "batches", "audit"].map(
    (name): [string, string[], RegExp] => [
      `with another table that is called as ours, ${name}`,
      [`CREATE TABLE ${name} ${ROWS}`],
      new RegExp(`other tables, ${name}, `),
    ],
  ),
  ["with the mark's name alone", [`CREATE TABLE schema_2 ${ROWS}`], /other tables, schema_2, /],
  [
    "with the mark's name, engine, and other columns",
    ["CREATE TABLE schema_2 (x UInt8, y UInt8) ENGINE = Memory"],
    /other tables, schema_2, /,
  ],
  [
    "of ours, with a mark's name that is none",
    [LATER_SCHEMA, `CREATE TABLE schema_2 ${ROWS}`],
    /other tables, schema_2, /,
  ],
  ["of ours with another", [LATER_SCHEMA, `CREATE TABLE orders ${ROWS}`], /tables, orders, /],
];
for (const [title, statements, refused] of databasesBefore) {
  it(`${refused === undefined ? "takes" : "refuses"} a database: ${title}`, async () => {
    const client = await databaseWith(statements);
    const tables = await tablesOf(client);
    const claimed = claimDatabase(client, FIRST);
    if (refused === undefined) {
      await claimed;
      await claimDatabase(client, FIRST);
      const message = new RegExp(`another Tallystick server, ${FIRST}, `);
      await assert.rejects(claimDatabase(client, SECOND), { code: "store_foreign", message });
    } else {
      await assert.rejects(claimed, { code: "store_foreign", message: refused });
      assert.deepEqual(await tablesOf(client), tables);
    }
  });
}

it("gives a database to one of two servers that come at once", async () => {
  const client = await databaseWith([]);
  const ids = [FIRST, SECOND];
  const claims = await Promise.allSettled(ids.map((id) => claimDatabase(client, id)));
  const given = claims.flatMap(({ status }, at) => (status === "fulfilled" ? [ids[at]] : []));
  assert.equal(given.length, 1);
  await claimDatabase(client, given[0] ?? "");
});

it("drops for another schema what it makes, and nothing else", async () => {
  const client = await databaseWith([`CREATE TABLE orders ${ROWS}`, `CREATE TABLE logs ${ROWS}`]);
  await client.command({ query: LATER_SCHEMA });
  await new ClickHouseDeriveStore(client).prepare();
  const tables = await tablesOf(client);
  assert.ok(tables.includes("orders"));
  assert.ok(!tables.includes("schema_7"));
});
