/** Requests to the people's side of the server: some right, most wrong in one way, SQL above all. */
import type { SeededRandom } from "../../src/std/seeded-random.ts";
import type { OddRequest } from "./request-mutants.ts";

type Case = (random: SeededRandom, auth: Readonly<Record<string, string>>) => OddRequest;

const NONE = Buffer.alloc(0);
const JSON_TYPE = { "content-type": "application/json" };

const PATHS = [
  "/healthz",
  "/readyz",
  "/metrics",
  "/api/v1/openapi.json",
  "/api/v1/status",
  "/api/v1/nodes",
  "/api/v1/keys",
  "/api/v1/connections",
  "/api/v1/findings",
  "/api/v1/sql",
  "/api/v1/nothing",
  "/api/v2/nodes",
  "/api/v1//nodes",
  "/api/v1/nodes/",
  "/api/v1/nodes/nobody",
  "/api/v1/nodes/%2e%2e%2fkeys",
  "/api/v1/nodes/%00",
  "/api/v1/nodes/%zz",
  "/api/v1/nodes/nobody/revoke",
  "/api/v1/keys/AAAAAAAA",
  "/api/v1/findings/00000000000000000000000000000000",
  "/api/v1/findings/zz",
  "/log/checkpoint",
  "/",
  "/../../etc/passwd",
  "/console/index.html",
] as const;
const METHODS = ["GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const PARAMETERS = [
  "since",
  "until",
  "node",
  "where",
  "cursor",
  "follow",
  "limit",
  "verdict",
  "kind",
  "severity",
  "state",
  "constructor",
  "__proto__",
] as const;
const VALUES = [
  "",
  "0",
  "-1",
  "1e9",
  "1h",
  "9999999999999999999h",
  "2026-01-01T00:00:00Z",
  "yesterday",
  "matched",
  "missing",
  "high",
  "open",
  "' OR 1=1 --",
  "a'; DROP TABLE log_rows; --",
  "\\",
  "%00",
  "%F0%9F%92%A9",
  "%ff%fe",
  "eyJhIjoxfQ",
  "A".repeat(5_000),
] as const;
const HOSTS = [
  "evil.example",
  "127.0.0.1.evil.example",
  "localhost:1",
  "[::1",
  "",
  "a".repeat(300),
] as const;
const TOKENS = [
  "",
  "Bearer",
  "Bearer ",
  "Bearer x",
  "Basic YTpi",
  `Bearer ${"x".repeat(300)}`,
  "bearer \u00e4",
] as const;
const BODIES = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  '{"sql":1}',
  '{"sql":"SELECT 1","limit":0}',
  '{"sql":"SELECT 1","limit":1e99}',
  '{"sql":"SELECT 1","more":1}',
  '{"ttl_ms":-1}',
  '{"ttl_ms":1e300}',
  '{"tags":["a b"]}',
  '{"tags":{}}',
  '{"reusable":"yes"}',
  '{"__proto__":{"sql":"SELECT 1"}}',
  '{"constructor":{"prototype":{"x":1}}}',
  "[".repeat(50_000),
  `{"sql":"${"x".repeat(70_000)}"}`,
  `{"a":"${"y".repeat(140_000)}"}`,
] as const;

const QUERIES = [
  "SELECT 1",
  "SELECT count() FROM connections",
  "SELECT verdict, count() FROM connections GROUP BY verdict ORDER BY 2 DESC LIMIT 5",
  "SELECT body FROM logs WHERE body LIKE '%line%' LIMIT 3",
  "SELECT * FROM halves LIMIT 2",
  "SELECT * FROM findings ORDER BY time DESC LIMIT 2",
  "SELECT name, watermark FROM nodes",
  "SELECT max(journal_index) FROM batches",
  "SELECT * FROM file('/etc/passwd')",
  "SELECT * FROM url('http://127.0.0.1:1/')",
  "SELECT * FROM connection_rows",
  "SELECT * FROM system.tables",
  "SELECT getSetting('max_threads')",
  "SELECT sleep(3)",
  "SELECT throwIf(1)",
  "SELECT * FROM numbers(10)",
  "INSERT INTO logs VALUES (1)",
  "DROP TABLE log_rows",
  "SELECT 1; SELECT 2",
  "SELECT 1 SETTINGS max_threads = 1",
  "SELECT 1 FORMAT Native",
  "SELECT 1 INTO OUTFILE '/tmp/x'",
  "EXPLAIN AST SELECT 1",
  "WITH x AS (SELECT 1) SELECT * FROM x",
  "SELECT {a:String}",
  "SELECT (SELECT 1",
  "SELECT 'unclosed",
  "SELECT 1 /* unclosed",
  "SELECT 1e400, 0x, -9223372036854775808, 340282366920938463463374607431768211456",
  "SELECT repeat('x', 100000000)",
  "SELECT arrayJoin(range(100000))",
  "SELECT a.body FROM logs AS a, logs AS b LIMIT 1",
  "SELECT `\u0000`",
  "SELECT \ud83d\ude00",
  "",
  " ",
] as const;

function path(random: SeededRandom): string {
  const parameters = Array.from(
    { length: random.below(4) },
    () => `${random.pick(PARAMETERS)}=${encodeValue(random)}`,
  );
  const search = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return `${random.pick(PATHS)}${search}`;
}

/** Sometimes what is no encoding at all; never what cannot stand in a request line. */
function encodeValue(random: SeededRandom): string {
  const value = random.pick(VALUES);
  return value.includes("%") ? value : encodeURIComponent(value);
}

const anyRoute: Case = (random, auth) => ({
  method: random.pick(METHODS),
  path: path(random),
  headers: random.chance(0.8) ? auth : {},
  body: NONE,
});

const badToken: Case = (random) => ({
  method: "GET",
  path: path(random),
  headers: { authorization: random.pick(TOKENS) },
  body: NONE,
});

const wrongHost: Case = (random, auth) => ({
  method: "GET",
  path: path(random),
  headers: { ...auth, host: random.pick(HOSTS) },
  body: NONE,
});

const proxied: Case = (random, auth) => ({
  method: "GET",
  path: path(random),
  headers: { ...auth, "x-forwarded-for": random.pick(["1.2.3.4", "::1", "' OR 1"]) },
  body: NONE,
});

const badBody: Case = (random, auth) => ({
  method: "POST",
  path: random.pick(["/api/v1/sql", "/api/v1/keys", "/api/v1/nodes/nobody/revoke"]),
  headers: { ...auth, ...(random.chance(0.9) ? JSON_TYPE : { "content-type": "text/xml" }) },
  body: random.chance(0.8) ? Buffer.from(random.pick(BODIES)) : random.bytes(random.below(3_000)),
});

const cursor: Case = (random, auth) => {
  const bytes = random.bytes(random.below(60));
  const text = random.chance(0.5)
    ? bytes.toString("base64url")
    : encodeURIComponent(bytes.toString("latin1"));
  const list = random.pick(["connections", "findings"]);
  return {
    method: "GET",
    path: `/api/v1/${list}?${random.pick(["cursor", "follow"])}=${text}&limit=${random.below(20)}`,
    headers: auth,
    body: NONE,
  };
};

const sql: Case = (random, auth) => ({
  method: "POST",
  path: "/api/v1/sql",
  headers: { ...auth, ...JSON_TYPE },
  body: Buffer.from(JSON.stringify({ sql: query(random), limit: 1 + random.below(50) })),
});

/** One as it stands, one with a piece of another in it, or one with characters changed. */
function query(random: SeededRandom): string {
  const first = random.pick(QUERIES);
  if (random.chance(0.4)) return first;
  const at = random.below(first.length + 1);
  if (random.chance(0.5)) {
    const second = random.pick(QUERIES);
    return `${first.slice(0, at)} ${second.slice(random.below(second.length + 1))}`;
  }
  const wild = random.pick([
    "'",
    '"',
    "`",
    "(",
    ")",
    ";",
    "--",
    "/*",
    "\\",
    ",",
    "\u0000",
    "\u202e",
    "1",
    " ",
  ]);
  return `${first.slice(0, at)}${wild}${first.slice(at + random.below(3))}`;
}

const CASES: readonly [Case, ...Case[]] = [
  anyRoute,
  anyRoute,
  badToken,
  wrongHost,
  proxied,
  badBody,
  badBody,
  cursor,
  sql,
  sql,
  sql,
];

export function apiRequest(random: SeededRandom, token: string): OddRequest {
  return random.pick(CASES)(random, { authorization: `Bearer ${token}` });
}
