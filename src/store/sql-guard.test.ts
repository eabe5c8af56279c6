import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../std/clock.ts";
import { openStore, type Store } from "./open-store.ts";
import { guard, type SqlRefusalCode } from "./sql-guard.ts";
import { runChecked } from "./sql-run.ts";

const publicTables = new Set(["connections", "halves", "logs"]);

const schema = [
  "CREATE TABLE raw_halves (secret String, seq UInt64) ENGINE = MergeTree ORDER BY seq",
  "CREATE VIEW halves AS SELECT seq FROM raw_halves",
  `CREATE TABLE connections (opened_at DateTime64(3), initiator_ip IPv6, initiator_node String, verdict LowCardinality(String),
     initiator_bytes UInt64, responder_bytes UInt64, responder_port UInt16) ENGINE = MergeTree ORDER BY opened_at`,
  "CREATE TABLE logs (time DateTime64(3), body String, attributes Map(String, String)) ENGINE = MergeTree ORDER BY time",
  "CREATE TABLE lookup (k UInt64, v String) ENGINE = Join(ANY, LEFT, k)",
  "CREATE VIEW parametrised AS SELECT secret FROM raw_halves WHERE seq = {n:UInt64}",
  "CREATE FUNCTION leak AS (x) -> concat(x, '!')",
];

const rows = [
  {
    opened_at: "2026-01-01 00:00:00.000",
    initiator_ip: "::ffff:10.0.0.1",
    initiator_node: "a",
    verdict: "matched",
    initiator_bytes: 10,
    responder_bytes: 10,
    responder_port: 22,
  },
  {
    opened_at: "2026-01-01 01:00:00.000",
    initiator_ip: "::ffff:10.0.0.2",
    initiator_node: "b",
    verdict: "differs",
    initiator_bytes: 10,
    responder_bytes: 7,
    responder_port: 443,
  },
  {
    opened_at: "2026-01-01 01:30:00.000",
    initiator_ip: "fd00::3",
    initiator_node: "a",
    verdict: "missing",
    initiator_bytes: 5,
    responder_bytes: 0,
    responder_port: 22,
  },
];

const attacks: readonly (readonly [SqlRefusalCode, string])[] = [
  ["sql_empty", ""],
  ["sql_empty", " \n\t"],
  ["sql_too_long", `SELECT '${"x".repeat(70_000)}'`],
  // Files, network, other servers, programs.
  ["sql_table_function", "SELECT * FROM file('/etc/passwd')"],
  ["sql_table_function", "SELECT * FROM file('/etc/passwd', 'LineAsString', 'line String')"],
  ["sql_table_function", "SELECT * FROM FILE('/etc/passwd')"],
  ["sql_table_function", "SELECT * FROM `file`('/etc/passwd')"],
  ["sql_table_function", "SELECT * FROM \"file\"('/etc/passwd')"],
  ["sql_table_function", "SELECT * FROM /* x */ file /* y */ ('/etc/passwd')"],
  ["sql_table_function", "SELECT * FROM connections, file('/etc/passwd') AS f"],
  ["sql_table_function", "SELECT * FROM connections JOIN url('http://127.0.0.1:1/') AS u ON 1"],
  [
    "sql_table_function",
    "SELECT (SELECT count() FROM url('http://127.0.0.1:1/', 'CSV', 'a String'))",
  ],
  ["sql_table_function", "SELECT * FROM s3('http://127.0.0.1:1/b/k')"],
  ["sql_table_function", "SELECT * FROM remote('127.0.0.1', 'system', 'one')"],
  ["sql_table_function", "SELECT * FROM cluster('default', 'system', 'one')"],
  ["sql_table_function", "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')"],
  ["sql_table_function", "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')"],
  ["sql_table_function", "SELECT * FROM sqlite('/etc/x', 't')"],
  ["sql_table_function", "SELECT * FROM executable('id', 'TSV', 'a String')"],
  ["sql_table_function", "SELECT * FROM python('x')"],
  ["sql_table_function", "SELECT * FROM merge('.*')"],
  ["sql_table_function", "SELECT * FROM merge('default', '.*')"],
  ["sql_table_function", "SELECT * FROM loop(raw_halves)"],
  ["sql_table_function", "SELECT * FROM view(SELECT * FROM raw_halves)"],
  ["sql_table_function", "SELECT * FROM mergeTreeIndex('default', 'raw_halves')"],
  ["sql_table_function", "SELECT * FROM dictionary('d')"],
  ["sql_table_function", "SELECT * FROM generateRandom('a String')"],
  ["sql_table_function", "SELECT * FROM input('a String')"],
  ["sql_table_function", "SELECT * FROM values('a String', 'x')"],
  ["sql_table_function", "SELECT * FROM format(JSONEachRow, '{}')"],
  ["sql_table_function", "SELECT * FROM parametrised(n = 1)"],
  ["sql_table_function", "SELECT * FROM (EXPLAIN SELECT * FROM connections)"],
  ["sql_table_function", "SELECT * FROM (EXPLAIN AST SELECT * FROM file('/etc/passwd'))"],
  ["sql_table_function", "WITH t AS (SELECT * FROM file('/etc/passwd')) SELECT 1 FROM t"],
  ["sql_table_function", "SELECT 1 UNION ALL SELECT * FROM file('/etc/passwd')"],
  [
    "sql_table_function",
    "SELECT 1 FROM connections WHERE 1 IN (SELECT 1 FROM file('/etc/passwd'))",
  ],
  // Functions.
  ["sql_function", "SELECT file('/etc/passwd')"],
  ["sql_function", "SELECT `file`('/etc/passwd')"],
  ["sql_function", "SELECT arrayMap(x -> file(x), ['/etc/passwd'])"],
  ["sql_function", "SELECT * REPLACE (file('/etc/passwd') AS verdict) FROM connections"],
  ["sql_function", "SELECT count() FROM connections ORDER BY file('/etc/passwd')"],
  ["sql_function", "SELECT count() FROM connections GROUP BY hostName()"],
  ["sql_function", "SELECT count() FROM connections HAVING sleep(3) = 0"],
  [
    "sql_function",
    "SELECT sum(initiator_bytes) OVER (PARTITION BY currentUser()) FROM connections",
  ],
  [
    "sql_function",
    "SELECT 1 FROM connections AS a JOIN connections AS b ON a.verdict = getSetting('max_threads')",
  ],
  ["sql_function", "SELECT 1 FROM connections ARRAY JOIN [hostName()] AS h"],
  ["sql_function", "SELECT 1 FROM connections LIMIT toUInt8(getServerPort('tcp_port'))"],
  ["sql_function", "SELECT 1 FROM numbers(length(file('/etc/passwd')))"],
  ["sql_function", "SELECT sleep(3)"],
  ["sql_function", "SELECT SLEEP(3)"],
  ["sql_function", "SELECT sleepEachRow(1) FROM numbers(100)"],
  ["sql_function", "SELECT dictGet('d', 'a', 1)"],
  ["sql_function", "SELECT dictGetOrDefault('d', 'a', 1, 2)"],
  ["sql_function", "SELECT joinGet('lookup', 'v', toUInt64(1))"],
  ["sql_function", "SELECT joinGet(lookup, 'v', toUInt64(1))"],
  ["sql_function", "SELECT hasColumnInTable('default', 'raw_halves', 'secret')"],
  ["sql_function", "SELECT getServerSetting('path')"],
  ["sql_function", "SELECT getMacro('shard')"],
  ["sql_function", "SELECT catboostEvaluate('/etc/passwd', 1)"],
  ["sql_function", "SELECT filesystemAvailable()"],
  ["sql_function", "SELECT hostName()"],
  ["sql_function", "SELECT FQDN()"],
  ["sql_function", "SELECT version()"],
  ["sql_function", "SELECT user()"],
  ["sql_function", "SELECT currentDatabase()"],
  ["sql_function", "SELECT getOSKernelVersion()"],
  ["sql_function", "SELECT serverUUID()"],
  ["sql_function", "SELECT addressToLine(1)"],
  ["sql_function", "SELECT logTrace('x')"],
  ["sql_function", "SELECT initializeAggregation('sumState', 1)"],
  ["sql_function", "SELECT arrayReduce('sumState', [1])"],
  ["sql_function", "SELECT finalizeAggregation(unhex('00'))"],
  ["sql_function", "SELECT sumMerge(initiator_bytes) FROM connections"],
  ["sql_function", "SELECT sumState(initiator_bytes) FROM connections"],
  ["sql_function", "SELECT CAST(unhex('ff'), 'AggregateFunction(uniq, String)')"],
  ["sql_function", "SELECT unhex('ff')::AggregateFunction(uniq, String)"],
  ["sql_function", "SELECT CAST('1', concat('Aggregate', 'Function(sum, UInt8)'))"],
  ["sql_function", "SELECT formatQuery('SELECT 1')"],
  ["sql_function", "SELECT generateSerialID('x')"],
  ["sql_function", "SELECT aiGenerate('x')"],
  ["sql_function", "SELECT showCertificate()"],
  ["sql_function", "SELECT throwIf(1)"],
  ["sql_function", "SELECT leak('x')"],
  ["sql_function", "SELECT __getScalar('x')"],
  ["sql_function", "SELECT 1 IN file('/etc/passwd')"],
  // Tables.
  ["sql_table", "SELECT * FROM raw_halves"],
  ["sql_table", "SELECT * FROM `raw_halves`"],
  ["sql_table", "SELECT * FROM default.connections"],
  ["sql_table", "SELECT * FROM `default.connections`"],
  ["sql_table", "SELECT * FROM system.tables"],
  ["sql_table", "SELECT * FROM system.one"],
  ["sql_table", "SELECT * FROM information_schema.tables"],
  ["sql_table", "SELECT * FROM INFORMATION_SCHEMA.COLUMNS"],
  ["sql_table", "SELECT * FROM `/etc/passwd`"],
  ["sql_table", "SELECT * FROM '/etc/passwd'"],
  ["sql_table", 'SELECT * FROM "tmp/x.csv"'],
  ["sql_table", "SELECT * FROM connections, raw_halves"],
  ["sql_table", "SELECT (SELECT max(secret) FROM raw_halves)"],
  ["sql_table", "SELECT 1 FROM connections WHERE 'x' IN raw_halves"],
  ["sql_table", "SELECT 1 FROM connections WHERE in('x', raw_halves)"],
  ["sql_table", "SELECT 1 FROM connections WHERE 1 GLOBAL NOT IN system.one"],
  ["sql_table", "SELECT 1 FROM connections WHERE globalNullIn(1, `system`.`one`)"],
  ["sql_table", "WITH raw_halves AS (SELECT 1) SELECT * FROM raw_halves"],
  [
    "sql_table",
    "SELECT * FROM (WITH raw_halves AS (SELECT 1) SELECT * FROM raw_halves), raw_halves",
  ],
  [
    "sql_table",
    "SELECT * FROM raw_halves UNION ALL WITH raw_halves AS (SELECT 1) SELECT * FROM raw_halves",
  ],
  ["sql_table", "WITH 1 AS raw_halves SELECT * FROM raw_halves"],
  ["sql_table", "SELECT 'raw_halves AS (' FROM raw_halves"],
  ["sql_table", "SELECT * FROM lookup"],
  ["sql_table", "SELECT * FROM parametrised"],
  ["sql_table", "SELECT * FROM nowhere"],
  ["sql_table", "SELECT * FROM raw_halves AS connections"],
  ["sql_table", "SELECT connections.* FROM connections CROSS JOIN raw_halves"],
  // Clauses and statements.
  ["sql_clause", "SELECT 1 SETTINGS max_execution_time = 0"],
  ["sql_clause", "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)"],
  ["sql_clause", "SELECT * FROM connections FORMAT JSON"],
  ["sql_clause", "SELECT 1 INTO OUTFILE '/tmp/tallystick-outfile'"],
  [
    "sql_clause",
    "SELECT 1 INTO OUTFILE '/tmp/tallystick-outfile' TRUNCATE FORMAT CSV SETTINGS max_threads = 1",
  ],
  ["sql_clause", "SELECT 1 PARALLEL WITH SELECT 2"],
  ["sql_clause", "SELECT * APPLY(file) FROM connections"],
  ["sql_clause", "SELECT * APPLY(x -> file(x)) FROM connections"],
  ["sql_clause", "SELECT COLUMNS('') FROM connections"],
  ["sql_clause", "SELECT COLUMNS('.*') APPLY hostName FROM connections"],
  ["sql_many_statements", "SELECT 1; SELECT 2"],
  ["sql_many_statements", "SELECT 1; DROP TABLE connections"],
  ["sql_many_statements", "SELECT 1 /* ; */; SET readonly = 0; SELECT 2"],
  ["sql_not_select", "EXPLAIN SELECT 1"],
  ["sql_not_select", "EXPLAIN AST SELECT 1"],
  ["sql_not_select", "INSERT INTO connections SELECT 1"],
  ["sql_not_select", "INSERT INTO FUNCTION file('/tmp/tallystick-x') SELECT 1"],
  ["sql_not_select", "DROP TABLE connections"],
  ["sql_not_select", "CREATE VIEW v AS SELECT 1"],
  ["sql_not_select", "ALTER TABLE connections DELETE WHERE 1"],
  ["sql_not_select", "SET readonly = 0"],
  ["sql_not_select", "USE system"],
  ["sql_not_select", "SHOW TABLES"],
  ["sql_not_select", "SHOW CREATE TABLE connections"],
  ["sql_not_select", "DESCRIBE TABLE file('/etc/passwd')"],
  ["sql_not_select", "EXISTS TABLE raw_halves"],
  ["sql_not_select", "KILL QUERY WHERE 1"],
  ["sql_not_select", "SYSTEM SHUTDOWN"],
  ["sql_not_select", "BACKUP TABLE connections TO File('/tmp/tallystick-x')"],
  ["sql_not_select", "ATTACH TABLE t FROM '/etc' (a String) ENGINE = File(CSV)"],
  ["sql_syntax", "1 + 1"],
  ["sql_syntax", "graph = 1 SELECT 1"],
  ["sql_syntax", "AST SELECT 1"],
  ["sql_syntax", "SELECT 1) FORMAT JSON; (SELECT 1"],
  ["sql_syntax", "SELECT 'unclosed"],
  ["sql_syntax", "SELECT 1 /* unclosed"],
  ["sql_syntax", "SELECT 1 \u0000 FROM system.one"],
  // Parameters and names.
  ["sql_parameter", "SELECT {x:UInt8}"],
  ["sql_parameter", "SELECT * FROM {t:Identifier}"],
  ["sql_identifier", "SELECT 1 AS `x\n   Literal 1`"],
  ["sql_identifier", "SELECT 1 AS `a) (children 9`"],
  ["sql_identifier", "SELECT 1 AS `a\\`b`"],
  ["sql_identifier", "SELECT 1 AS `a'b`, 2 AS `c'd`"],
];

/** Query and the number of rows that it answers. */
const legitimate: readonly (readonly [number, string])[] = [
  [1, "SELECT 1"],
  [1, "select 1 as one;"],
  [3, "SELECT * FROM connections"],
  [3, "SELECT * FROM `connections`"],
  [3, "FROM connections SELECT verdict"],
  [3, "SELECT c.*, verdict AS v FROM connections AS c ORDER BY opened_at DESC"],
  [3, "SELECT * EXCEPT (verdict) FROM connections"],
  [3, "SELECT * REPLACE (upper(verdict) AS verdict) FROM connections"],
  [
    2,
    "SELECT verdict, count() FROM connections WHERE verdict != 'matched' GROUP BY verdict ORDER BY 2 DESC",
  ],
  [1, "SELECT * FROM connections WHERE initiator_ip = '::ffff:10.0.0.1'"],
  [1, "SELECT * FROM connections WHERE responder_port IN (443, 8443)"],
  [
    2,
    "SELECT * FROM connections WHERE responder_port IN (SELECT responder_port FROM connections WHERE verdict = 'missing')",
  ],
  [3, "SELECT 1 FROM connections WHERE responder_port NOT IN (SELECT 1)"],
  [
    1,
    "SELECT count(*) FILTER (WHERE verdict = 'differs'), countIf(responder_bytes = 0) FROM connections",
  ],
  [
    1,
    "SELECT quantile(0.9)(initiator_bytes), quantiles(0.5, 0.99)(initiator_bytes), avg(initiator_bytes) FROM connections",
  ],
  [
    1,
    "SELECT uniq(initiator_node), uniqExact(initiator_ip), sumOrNullIf(responder_bytes, 0), topK(2)(verdict) FROM connections",
  ],
  [
    2,
    "SELECT toStartOfInterval(opened_at, INTERVAL 1 HOUR) AS t, count() FROM connections GROUP BY t ORDER BY t",
  ],
  [
    3,
    "SELECT opened_at + INTERVAL 1 DAY, date_trunc('hour', opened_at), dateDiff('minute', opened_at, now()), EXTRACT(YEAR FROM opened_at) FROM connections",
  ],
  [
    2,
    "WITH t AS (SELECT initiator_node, sum(initiator_bytes) AS b FROM connections GROUP BY initiator_node) SELECT * FROM t ORDER BY b",
  ],
  [
    1,
    "WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b WHERE y IN (SELECT 2)",
  ],
  [1, "WITH 22 AS ssh SELECT countIf(responder_port = ssh) FROM connections"],
  [
    5,
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t",
  ],
  [1, "WITH t AS (SELECT 22 AS p) SELECT count() FROM connections WHERE responder_port IN t"],
  [6, "SELECT verdict FROM connections UNION ALL SELECT verdict FROM connections"],
  [3, "SELECT verdict FROM connections UNION DISTINCT SELECT verdict FROM connections"],
  [2, "SELECT verdict FROM connections EXCEPT SELECT 'matched'"],
  [
    3,
    "SELECT initiator_node, row_number() OVER (PARTITION BY initiator_node ORDER BY opened_at), lagInFrame(verdict) OVER w FROM connections WINDOW w AS (ORDER BY opened_at)",
  ],
  [
    3,
    "SELECT sum(initiator_bytes) OVER (ORDER BY opened_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM connections",
  ],
  [
    5,
    "SELECT a.verdict, b.verdict FROM connections AS a INNER JOIN connections AS b ON a.initiator_node = b.initiator_node",
  ],
  [3, "SELECT verdict, h.seq FROM connections LEFT JOIN halves AS h ON h.seq = initiator_bytes"],
  [
    3,
    "SELECT CASE WHEN responder_bytes < initiator_bytes THEN 'less' ELSE 'same' END, initiator_bytes::String, CAST(responder_port AS Nullable(UInt32)) FROM connections",
  ],
  [
    3,
    "SELECT multiIf(responder_port = 22, 'ssh', 'other'), if(1, 2, 3), coalesce(NULL, 1), verdict LIKE 'm%', verdict || '!' FROM connections",
  ],
  [6, "SELECT x FROM connections ARRAY JOIN [1, 2] AS x"],
  [
    1,
    "SELECT arrayMap(x -> x * 2, [1, 2]), arrayFilter(x -> x > 1, [1, 2]), tuple(1, 'a').1, map('k', 1)['k'], [1, 2][1]",
  ],
  [
    1,
    "SELECT isIPAddressInRange('10.0.0.1', '10.0.0.0/8'), IPv4NumToString(toUInt32(1)), toIPv6('::1')",
  ],
  [
    1,
    "SELECT JSONExtractString('{\"a\": \"b\"}', 'a'), JSON_VALUE('{\"a\": 1}', '$.a'), extract('port 22', '[0-9]+'), match('x', '^x$')",
  ],
  [
    0,
    "SELECT * FROM logs WHERE hasToken(body, 'sshd') AND attributes['unit'] = 'ssh' ORDER BY time DESC LIMIT 10",
  ],
  [10, "SELECT number FROM numbers(10)"],
  [2, "SELECT verdict FROM connections ORDER BY opened_at LIMIT 2 OFFSET 1"],
  [2, "SELECT verdict FROM connections ORDER BY opened_at LIMIT 1 BY initiator_node"],
  [
    3,
    "SELECT responder_port, count() FROM connections GROUP BY responder_port WITH TOTALS UNION ALL SELECT 0, 0",
  ],
  [1, "SELECT 1 /* file('/etc/passwd') */ -- system.tables"],
  [
    1,
    "SELECT 'SELECT * FROM system.tables; {x:String} SETTINGS a = 1 FORMAT JSON' AS `a text: 50 %`",
  ],
  [1, "SELECT $$file('/etc/passwd')$$, 'it''s', 'a\\'b'"],
  [3, "SELECT * FROM connections UUID '00000000-0000-0000-0000-000000000000'"],
  [1, "SELECT formatReadableSize(1024), bar(1, 0, 10), toTypeName(1), CURRENT_DATE <= today()"],
];

describe("users' SQL", () => {
  let store: Store;
  let dataDir: string;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "tallystick-guard-"));
    store = await openStore({ dataDir, clock: systemClock() });
    for (const query of schema) await store.client.command({ query });
    await store.client.insert({ table: "connections", values: rows, format: "JSONEachRow" });
    await store.client.insert({
      table: "raw_halves",
      values: [{ secret: "s3cret", seq: 10 }],
      format: "JSONEachRow",
    });
  });

  after(async () => {
    await store.close();
    await rm(dataDir, { recursive: true });
  });

  for (const [code, sql] of attacks) {
    it(`refuses ${JSON.stringify(sql).slice(0, 100)}`, async () => {
      const outcome = await guard(store.client, sql, publicTables);
      assert.equal(
        outcome.ok ? "admitted" : outcome.code,
        code,
        outcome.ok ? outcome.sql : outcome.message,
      );
    });
  }

  for (const [rowCount, sql] of legitimate) {
    it(`answers ${JSON.stringify(sql).slice(0, 100)}`, async () => {
      const checked = await guard(store.client, sql, publicTables);
      assert.ok(checked.ok, checked.ok ? "" : checked.message);
      const answer = await runChecked(store.client, checked);
      assert.ok(answer.ok, answer.ok ? "" : answer.message);
      assert.equal(answer.rows.length, rowCount);
      assert.equal(answer.cut, undefined);
    });
  }

  async function run(
    sql: string,
    limits: Parameters<typeof runChecked>[2],
  ): ReturnType<typeof runChecked> {
    const checked = await guard(store.client, sql, publicTables);
    assert.ok(checked.ok, checked.ok ? "" : checked.message);
    return runChecked(store.client, checked, limits);
  }

  it("cuts at the row limit and says so", async () => {
    const answer = await run("SELECT number FROM numbers(1000000)", { rowsMax: 5 });
    assert.deepEqual(answer, {
      ok: true,
      columns: [{ name: "number", type: "UInt64" }],
      rows: [["0"], ["1"], ["2"], ["3"], ["4"]],
      cut: "rows",
    });
  });

  it("does not call an answer cut that fits exactly", async () => {
    const answer = await run("SELECT number FROM numbers(5)", { rowsMax: 5 });
    assert.ok(answer.ok && answer.rows.length === 5 && answer.cut === undefined);
  });

  it("cuts at the byte limit and says so", async () => {
    const answer = await run("SELECT repeat('x', 100) FROM numbers(1000)", { bytesMax: 1_000 });
    assert.ok(answer.ok && answer.rows.length === 9 && answer.cut === "bytes");
  });

  it("ends a query that takes too long", async () => {
    const answer = await run(
      "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 0",
      { runMaxSeconds: 0.5 },
    );
    assert.match(answer.ok ? "" : answer.message, /TIMEOUT_EXCEEDED/);
  });

  it("ends a query that takes too much memory", async () => {
    const answer = await run("SELECT groupArray(number) FROM numbers(1000000000)", {
      memoryMaxBytes: 50_000_000,
    });
    assert.match(answer.ok ? "" : answer.message, /MEMORY_LIMIT_EXCEEDED/);
  });

  it("passes the engine's words on for a column that is not there", async () => {
    const answer = await run("SELECT secret FROM halves", {});
    assert.equal(answer.ok ? "" : answer.code, "sql_failed");
    assert.match(answer.ok ? "" : answer.message, /UNKNOWN_IDENTIFIER/);
  });

  it("keeps 64-bit integers whole", async () => {
    const answer = await run("SELECT 18446744073709551615 AS n", {});
    assert.deepEqual(answer.ok ? answer.rows : [], [["18446744073709551615"]]);
  });
});
