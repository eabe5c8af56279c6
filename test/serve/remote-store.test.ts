/** `--store URL`: the same server over a ClickHouse of somebody else, reached by HTTP alone. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { createClient, type ClickHouseClient } from "@clickhouse/client";
import { systemClock } from "../../src/std/clock.ts";
import { Engine } from "../../src/store/engine.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { run, ServerProcess } from "./server-process.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-remote-"));
let engine: Engine;
let client: ClickHouseClient;

before(async () => {
  engine = await Engine.start({ dataDir: join(scratch, "elsewhere"), clock: systemClock() });
  client = createClient({ url: storeUrl("default") });
});
after(async () => {
  await client.close();
  await engine.close();
  rmSync(scratch, { recursive: true, force: true });
});

function storeUrl(database: string): string {
  const { url, username, password } = engine.address;
  const at = new URL(url);
  Object.assign(at, { username, password, pathname: `/${database}` });
  return at.href;
}

async function make(database: string): Promise<string> {
  await client.command({ query: `CREATE DATABASE ${database}` });
  return storeUrl(database);
}

async function untilLogged(server: ServerProcess, body: string): Promise<void> {
  await server.until(
    async () => (await server.command("sql", "SELECT body FROM logs", "--json")).stdout,
    (stdout) => stdout.includes(body),
  );
}

it("searches what was ingested, also after the other side was away, and after a start", async () => {
  const url = await make("tally");
  const dir = join(scratch, "data");
  await using first = await ServerProcess.start(["--store", url], dir);
  assert.equal(first.store, "ok");
  assert.equal(existsSync(join(dir, "store")), false);
  const [a, b] = [await joined(first, "node-a"), await joined(first, "node-b")];
  const tuple = tcp("10.9.0.1", 40_000, "10.9.0.2");
  for (const [node, role, ip] of [
    [a, "initiator", "10.9.0.1"],
    [b, "responder", "10.9.0.2"],
  ] as const) {
    const atMs = Date.now();
    await send(first, node, [
      addresses(atMs, ip),
      open(atMs, role, tuple),
      node.logEntry(`by ${role}`),
    ]);
  }
  await untilLogged(first, "by responder");
  await first.until(
    async () => (await first.command("connections", "--json")).stdout,
    (stdout) => /"initiator_node":"node-a","responder_node":"node-b"/.test(stdout),
  );

  process.kill(engine.pid ?? assert.fail("no engine"), "SIGKILL");
  assert.equal((await send(first, a, [a.logEntry("while it was away")])).status, 200);
  await untilLogged(first, "while it was away");
  assert.equal((await first.stop()).code, 0);

  await using second = await ServerProcess.start(["--store", url], dir);
  assert.equal((await send(second, a, [a.logEntry("after a start")])).status, 200);
  await untilLogged(second, "after a start");
  const counted = await second.command("sql", "SELECT count() AS n FROM connections", "--json");
  assert.equal(counted.stdout, '{"n":1}\n');
});

it("takes batches while there is no store, and searches them once there is one", async () => {
  const url = storeUrl("later");
  await using server = await ServerProcess.start(["--store", url]);
  assert.equal(server.store, "starting");
  const node = await joined(server, "node-a");
  assert.equal((await send(server, node, [node.logEntry("early")])).status, 200);
  await make("later");
  await untilLogged(server, "early");
});

// The second is called as one of ours is: the name proves nothing.
for (const table of ["orders", "logs"]) {
  it(`touches no database that holds a table of somebody else, ${table}`, async () => {
    const url = await make(`theirs_${table}`);
    await client.command({
      query: `CREATE TABLE theirs_${table}.${table} ENGINE = MergeTree ORDER BY n AS SELECT 7 AS n`,
    });
    const words = [
      "--data",
      join(scratch, `refused-${table}`),
      "--listen",
      "127.0.0.1:0",
      "--store",
      url,
    ];
    const ended = await run(["server", ...words]);
    assert.equal(ended.code, 1);
    const said = new RegExp(
      `database of --store holds other tables, ${table}, .*\\(store_foreign\\)`,
    );
    assert.match(ended.stderr, said);
    const answer = await client.query({
      query: `SELECT n FROM theirs_${table}.${table}`,
      format: "JSONEachRow",
    });
    assert.deepEqual(await answer.json(), [{ n: 7 }]);
  });
}

it("leaves a database to the server that filled it", async () => {
  const url = await make("shared");
  await using first = await ServerProcess.start(["--store", url]);
  const words = ["--data", join(scratch, "second"), "--listen", "127.0.0.1:0", "--store", url];
  const ended = await run(["server", ...words]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /belongs to another Tallystick server, [0-9a-f]{32}, .*store_foreign/);
  assert.equal((await first.command("findings", "--json")).code, 0);
});

it("shows nothing of a database of somebody else that it meets later", async () => {
  const url = storeUrl("theirs_later");
  await using server = await ServerProcess.start(["--store", url]);
  const refused = new Promise<void>((resolve) => {
    server.child.stderr?.on("data", (text: string) => {
      if (/other tables, logs, /.test(text)) resolve();
    });
  });
  await make("theirs_later");
  await client.command({ query: "CREATE TABLE theirs_later.logs ENGINE = Log AS SELECT 7 AS n" });
  await refused;
  const asked = await server.command("sql", "SELECT n FROM logs", "--json");
  assert.equal(asked.stdout, "");
  assert.match(asked.stderr, /store_unavailable/);
  const node = await joined(server, "node-a");
  assert.equal((await send(server, node, [node.logEntry("taken")])).status, 200);
});
