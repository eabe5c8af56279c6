import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { after, before, describe, it } from "node:test";
import { createClient, ClickHouseError, type ClickHouseClient } from "@clickhouse/client";
import { systemClock } from "../../src/std/clock.ts";
import { Engine, type EngineAddress } from "../../src/store/engine.ts";
import { openStore, type Store } from "../../src/store/open-store.ts";
import { StoreError, storeErrorOf } from "../../src/store/store-error.ts";

const clock = systemClock();
const table = `CREATE TABLE %s (seq UInt64, name String, ip IPv6) ENGINE = MergeTree ORDER BY seq
  SETTINGS non_replicated_deduplication_window = 1000`;
const endless = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 0";

let dataDir: string;
let store: Store;
let client: ClickHouseClient;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tallystick-engine-"));
  store = await openStore({ dataDir, clock });
  client = store.client;
});

after(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function makeTable(name: string): Promise<void> {
  await client.command({ query: table.replace("%s", name) });
}

async function value(query: string, params: Record<string, unknown> = {}): Promise<unknown> {
  const answer = await client.query({
    query,
    query_params: params,
    format: "JSONCompactEachRow",
  });
  const rows = await answer.json<[unknown]>();
  return rows[0]?.[0];
}

async function insertBytes(
  name: string,
  format: string,
  bytes: Buffer,
  options: { coding?: string; token?: string } = {},
): Promise<string | undefined> {
  const result = await client.exec({
    query: `INSERT INTO ${name} FORMAT ${format}`,
    values: Readable.from([bytes], { objectMode: false }),
    ...(options.coding === undefined
      ? {}
      : { http_headers: { "content-encoding": options.coding } }),
    ...(options.token === undefined
      ? {}
      : { clickhouse_settings: { insert_deduplication_token: options.token } }),
  });
  await buffer(result.stream);
  return result.summary?.written_rows;
}

async function rowsAs(format: string, count: number): Promise<Buffer> {
  const query = `SELECT number AS seq, toString(number) AS name, toIPv6('::1') AS ip FROM numbers(${count}) FORMAT ${format}`;
  return buffer((await client.exec({ query })).stream);
}

/** Resolves when the engine shows a query with this mark, or shows none any more. */
async function untilRunning(mark: string, wanted: boolean): Promise<void> {
  const query = "SELECT toUInt8(count() > 0) FROM system.processes WHERE query LIKE {mark:String}";
  while (((await value(query, { mark: `%${mark}` })) === 0) === wanted);
}

function address(): EngineAddress {
  return store.address ?? assert.fail("no address");
}

async function untilRunningCount(count: number): Promise<void> {
  const query = "SELECT count() FROM system.processes WHERE query LIKE '%1002 = 1002%OUTFILE%'";
  for (;;) {
    // Four heavy queries fill the lane of the house; a read-only one runs in the guests'.
    const answer = await client.query({
      query,
      format: "CSV",
      clickhouse_settings: { readonly: "2" },
    });
    if (Number(await answer.text()) > count) return;
  }
}

async function rowsAsGuest(count: number): Promise<Buffer> {
  const query = `SELECT number AS seq, 'x' AS name, toIPv6('::1') AS ip FROM numbers(${count}) FORMAT Native`;
  return buffer((await client.exec({ query, clickhouse_settings: { readonly: "2" } })).stream);
}

describe("the embedded engine, through the ClickHouse client", () => {
  it("answers pings", async () => {
    assert.equal((await client.ping()).success, true);
    assert.equal((await client.ping({ select: true })).success, true);
  });

  it("inserts rows and reads them back", async () => {
    await makeTable("plain");
    const values = [
      { seq: 1, name: "it's", ip: "fd00::1" },
      { seq: 2, name: "back\\slash\n\0é", ip: "::ffff:10.0.0.1" },
    ];
    const result = await client.insert({ table: "plain", values, format: "JSONEachRow" });
    assert.equal(result.summary?.written_rows, "2");
    const answer = await client.query({
      query: "SELECT seq, name, ip FROM plain ORDER BY seq",
      format: "JSONEachRow",
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    assert.deepEqual(await answer.json(), values);
  });

  for (const format of ["Native", "RowBinary", "JSONEachRow", "JSONCompactEachRow", "CSV"]) {
    it(`inserts a body in ${format}, plain and compressed`, async () => {
      const name = `as_${format}`;
      await makeTable(name);
      const bytes = await rowsAs(format, 1_000);
      // Tokens, because the engine drops blocks that are equal to one it has.
      assert.equal(await insertBytes(name, format, bytes, { token: "1" }), "1000");
      await insertBytes(name, format, gzipSync(bytes), { coding: "gzip", token: "2" });
      await insertBytes(name, format, zstdCompressSync(bytes), { coding: "zstd", token: "3" });
      assert.equal(
        await value(`SELECT toUInt32(count()) FROM ${name} WHERE name = toString(seq)`),
        3_000,
      );
    });
  }

  it("takes an insert without rows for done", async () => {
    await makeTable("nothing");
    assert.equal(await insertBytes("nothing", "Native", Buffer.alloc(0)), "0");
  });

  it("stores an insert that comes twice with one token once", async () => {
    await makeTable("tokens");
    const bytes = await rowsAs("Native", 10);
    await insertBytes("tokens", "Native", bytes, { token: "batch-1" });
    await insertBytes("tokens", "Native", bytes, { token: "batch-1" });
    assert.equal(await value("SELECT toUInt32(count()) FROM tokens"), 10);
    await insertBytes("tokens", "Native", bytes, { token: "batch-2" });
    assert.equal(await value("SELECT toUInt32(count()) FROM tokens"), 20);
  });

  it("binds parameters as values of their types, whatever they hold", async () => {
    const nasty = "'; DROP TABLE plain; -- \\ \n \t {x:String}";
    assert.equal(await value("SELECT {x:String}", { x: nasty }), nasty);
    assert.equal(
      await value("SELECT toString({x:UInt64})", { x: "18446744073709551615" }),
      "18446744073709551615",
    );
    assert.deepEqual(await value("SELECT {x:Array(String)}", { x: ["a", "b'c", nasty] }), [
      "a",
      "b'c",
      nasty,
    ]);
    assert.equal(await value("SELECT {x:Nullable(String)}", { x: null }), null);
    assert.deepEqual(await value("SELECT {x:Map(String, UInt8)}", { x: { a: 1 } }), { a: 1 });
    assert.equal(
      await value("SELECT name FROM {t:Identifier} WHERE seq = 1", { t: "plain" }),
      "it's",
    );
  });

  it("keeps the parameters of queries at the same time apart", async () => {
    const wanted = Array.from({ length: 40 }, (_, at) => `value ${at}`);
    const got = await Promise.all(wanted.map((x) => value("SELECT {x:String}", { x })));
    assert.deepEqual(got, wanted);
  });

  it("leaves neither parameters nor settings behind", async () => {
    await value("SELECT {left:String} SETTINGS max_threads = 1", { left: "x" });
    await assert.rejects(value("SELECT {left:String}"), { type: "UNKNOWN_QUERY_PARAMETER" });
    await client.command({ query: "SELECT 1", clickhouse_settings: { max_block_size: "77" } });
    assert.notEqual(await value("SELECT getSetting('max_block_size')"), "77");
  });

  it("carries parameters too long for a URL in a multipart body", async () => {
    const long = "x".repeat(300_000);
    const answer = await client.query({
      query: "SELECT length({x:String})",
      query_params: { x: long },
      use_multipart_params: true,
      format: "JSONCompactEachRow",
      clickhouse_settings: { max_query_size: "10000000" },
    });
    assert.deepEqual(await answer.json(), [[300_000]]);
  });

  it("answers errors as a ClickHouse server does", async () => {
    const faults = [
      ["SELECT nope FROM plain", "47", "UNKNOWN_IDENTIFIER"],
      ["SELECT * FROM no_such_table", "60", "UNKNOWN_TABLE"],
      ["SELECT 1 1", "62", "SYNTAX_ERROR"],
      ["SELECT throwIf(1)", "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"],
    ] as const;
    for (const [query, code, type] of faults) {
      await assert.rejects(client.query({ query }), (error: unknown) => {
        assert.ok(error instanceof ClickHouseError);
        assert.deepEqual([error.code, error.type], [code, type]);
        assert.equal(storeErrorOf(error).code, "store_failed");
        return true;
      });
    }
  });

  it("refuses rows that do not parse, all of them, without naming our files", async () => {
    await makeTable("bad");
    const body = Buffer.from('{"seq":1,"name":"a","ip":"::1"}\n{"seq":"x"}\n');
    await assert.rejects(insertBytes("bad", "JSONEachRow", body), (error: Error) => {
      assert.ok(!error.message.includes(dataDir));
      return true;
    });
    assert.equal(await value("SELECT toUInt32(count()) FROM bad"), 0);
  });

  it("obeys readonly, and a later setting cannot lift it", async () => {
    const settings = { readonly: "2" as const, max_threads: 1 };
    const query = "CREATE TABLE forbidden (a UInt8) ENGINE = Memory";
    await assert.rejects(client.command({ query, clickhouse_settings: settings }), {
      type: "READONLY",
    });
    await assert.rejects(
      client.command({ query: "SET readonly = 0", clickhouse_settings: settings }),
      { type: "READONLY" },
    );
  });

  it("compresses answers for clients that ask", async () => {
    const { url, username, password } = address();
    const zipped = createClient({ url, username, password, compression: { response: true } });
    const answer = await zipped.query({
      query: "SELECT repeat('x', 100000) AS x",
      format: "JSONEachRow",
    });
    assert.equal(answer.response_headers["content-encoding"], "gzip");
    assert.deepEqual(await answer.json(), [{ x: "x".repeat(100_000) }]);
    await zipped.close();
  });

  it("uses the database of the client", async () => {
    await client.command({ query: "CREATE DATABASE other" });
    assert.equal(
      await text((await store.connect("other").exec({ query: "SELECT currentDatabase()" })).stream),
      "other\n",
    );
    assert.equal(await value("SELECT currentDatabase()"), "default");
  });

  it("streams results that are larger than its buffers", async () => {
    const answer = await client.query({
      query: "SELECT number FROM numbers(1000000)",
      format: "CSV",
    });
    let rows = 0;
    for await (const chunk of answer.stream()) rows += chunk.length;
    assert.equal(rows, 1_000_000);
  });

  it("ends a query at max_execution_time", async () => {
    const settings = { max_execution_time: 0.2 };
    await assert.rejects(client.query({ query: endless, clickhouse_settings: settings }), {
      type: "TIMEOUT_EXCEEDED",
    });
  });

  it("kills the query of a caller that hangs up", async () => {
    const leaving = new AbortController();
    const query = client.query({
      query: `${endless} AND 1001 = 1001`,
      abort_signal: leaving.signal,
    });
    await untilRunning("1001 = 1001\nINTO OUTFILE%", true);
    leaving.abort();
    await assert.rejects(query);
    await untilRunning("1001 = 1001\nINTO OUTFILE%", false);
  });

  it("takes inserts and short queries while as many heavy queries run as may", async () => {
    await makeTable("busy");
    const leaving = new AbortController();
    const heavy = Array.from({ length: 6 }, async () =>
      client.query({ query: `${endless} AND 1002 = 1002`, abort_signal: leaving.signal }),
    );
    await untilRunningCount(4);
    const bytes = await rowsAsGuest(1_000);
    for (let at = 0; at < 20; at += 1)
      await insertBytes("busy", "Native", bytes, { token: String(at) });
    leaving.abort();
    assert.ok((await Promise.allSettled(heavy)).every(({ status }) => status === "rejected"));
    assert.equal(await value("SELECT toUInt32(count()) FROM busy"), 20_000);
  });

  it("shows strangers nothing", async () => {
    const { url } = address();
    for (const headers of [
      {},
      { "x-clickhouse-key": "guess" },
      { authorization: "Basic ZGVmYXVsdDo=" },
    ]) {
      const response = await fetch(`${url}/?query=SELECT%201`, { headers });
      assert.equal(response.status, 403);
      assert.equal(response.headers.get("x-clickhouse-exception-code"), "516");
    }
  });

  it("leaves no temporary file behind, and its folder to its owner alone", async () => {
    // They are removed after the answer.
    while ((await readdir(join(dataDir, "tmp"))).length > 0);
    assert.equal((await stat(dataDir)).mode & 0o077, 0);
  });
});

describe("the engine's process", () => {
  it("comes back after SIGKILL with every acknowledged row, for the same client", async () => {
    await makeTable("killed");
    const bytes = await rowsAs("Native", 1_000);
    let acknowledged = 0;
    for (let round = 0; round < 3; round += 1) {
      const pid = store.pid ?? assert.fail("no child");
      const already = acknowledged;
      for (let token = 0; ; token += 1) {
        if (token === 5) process.kill(pid, "SIGKILL");
        const killed = await insertAtLast("killed", bytes, `${round}-${token}`);
        acknowledged += 1;
        if (killed) break;
      }
      assert.ok(acknowledged >= already + 5);
      assert.notEqual(store.pid, pid);
      assert.equal(await value("SELECT toUInt32(count()) FROM killed"), acknowledged * 1_000);
    }
  });

  it("refuses a folder that another process has open, and says so", async () => {
    await assert.rejects(openStore({ dataDir, clock }), (error: unknown) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, "store_failed");
      assert.match(error.message, /Another server instance/);
      return true;
    });
  });

  it("ends with its pipe, within seconds and in the middle of a query", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tallystick-engine-"));
    const engine = await Engine.start({ dataDir: folder, clock });
    const own = createClient({ ...engine.address, log: { level: 127 } });
    const query = own.query({ query: endless });
    const pid = engine.pid ?? assert.fail("no child");
    await Promise.all([assert.rejects(query), engine.close()]);
    assert.equal(engine.pid, undefined);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    await own.close();
    await rm(folder, { recursive: true });
  });

  it("keeps what it stored over a clean stop", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tallystick-engine-"));
    const first = await openStore({ dataDir: folder, clock });
    await first.client.command({
      query: "CREATE TABLE t ENGINE = MergeTree ORDER BY a AS SELECT 7 AS a",
    });
    await first.close();
    await first.close();
    const second = await openStore({ dataDir: folder, clock });
    assert.deepEqual(
      await (await second.client.query({ query: "SELECT a FROM t", format: "JSONEachRow" })).json(),
      [{ a: 7 }],
    );
    await second.close();
    await rm(folder, { recursive: true });
  });

  it("dies with a parent that is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tallystick-engine-"));
    const { spawn } = await import("node:child_process");
    const program = `
      const { Engine } = await import(${JSON.stringify(new URL("../../src/store/engine.ts", import.meta.url).href)});
      const { systemClock } = await import(${JSON.stringify(new URL("../../src/std/clock.ts", import.meta.url).href)});
      const engine = await Engine.start({ dataDir: ${JSON.stringify(folder)}, clock: systemClock() });
      process.stdout.write(String(engine.pid));`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
    parent.kill("SIGKILL");
    await once(parent, "exit");
    const opened = await openWhenFree(folder);
    while (await alive(Number(pid)));
    await opened.close();
    await rm(folder, { recursive: true });
  });

  it("needs a folder or a URL, and one that is one", async () => {
    const wrong = [
      {},
      { dataDir, url: "http://127.0.0.1" },
      { url: "ftp://x" },
      { url: "nonsense" },
    ];
    for (const options of wrong)
      await assert.rejects(openStore({ clock, ...options }), { code: "store_bad_options" });
  });
});

/** Tries until it is acknowledged, as the indexer does: the token keeps what was stored unseen from being stored twice. True if it had to try again. */
async function insertAtLast(name: string, bytes: Buffer, token: string): Promise<boolean> {
  for (let failures = 0; ; failures += 1) {
    try {
      await insertBytes(name, "Native", bytes, { token });
      return failures > 0;
    } catch (error) {
      assert.equal(storeErrorOf(error).code, "store_unavailable");
    }
  }
}

/** False for a zombie too: who reaps an orphan is not ours to say. */
async function alive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
  return !/\) [ZX]/.test(status);
}

/** The orphan holds the folder's lock until it is gone. */
async function openWhenFree(folder: string): Promise<Store> {
  for (;;) {
    try {
      return await openStore({ dataDir: folder, clock });
    } catch (error) {
      if (!(error instanceof StoreError) || !error.message.includes("Another server")) throw error;
    }
  }
}
