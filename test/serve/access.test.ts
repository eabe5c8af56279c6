import assert from "node:assert/strict";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import { pathOf, ROUTES } from "./route-table.ts";
import { type Problem, ServerProcess } from "./server-process.ts";

/** Every route that needs a token. That none is missing is the walk's subject (walk.test.ts). */
const PROTECTED = ROUTES.filter(({ access }) => access !== "public" && access !== "sign-in").map(
  (route) => [route.method, pathOf(route)] as const,
);

const OPEN = ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"];

let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server[Symbol.asyncDispose]());

interface Raw {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: string;
}

/** Sends headers as they are, where `fetch` would not. */
async function raw(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Raw> {
  const { hostname, port } = new URL(server.url);
  const call = request({ hostname, port, method, path, headers, agent: false });
  call.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", reject);
  });
  const body = await text(response);
  const isProblem = /problem\+json/.test(response.headers["content-type"] ?? "");
  const code = isProblem ? (JSON.parse(body) as Problem).code : undefined;
  return { status: response.statusCode ?? 0, code, body };
}

async function postKey(type: string, body: string): Promise<unknown[]> {
  const response = await fetch(new URL("/api/v1/keys", server.url), {
    method: "POST",
    headers: { ...bearer(server.token), "content-type": type },
    body,
  });
  return [response.status, ((await response.json()) as Problem).code];
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("every route that needs a token", () => {
  const refused: [
    title: string,
    headers: () => Record<string, string>,
    status: number,
    code: string,
  ][] = [
    ["no token", () => ({}), 401, "unauthorized"],
    ["a wrong token", () => bearer("tsa1.wrong"), 401, "unauthorized"],
    ["a longer token", () => bearer(`${server.token}x`), 401, "unauthorized"],
    [
      "the token as a user's password",
      () => ({ authorization: `Basic ${btoa(`a:${server.token}`)}` }),
      401,
      "unauthorized",
    ],
    [
      "the name of a stranger",
      () => ({ ...bearer(server.token), host: "evil.example" }),
      421,
      "unknown_host",
    ],
    [
      "a name that ends like ours",
      () => ({ ...bearer(server.token), host: "localhost.evil.example" }),
      421,
      "unknown_host",
    ],
    [
      "an address that is not ours",
      () => ({ ...bearer(server.token), host: "203.0.113.9:80" }),
      421,
      "unknown_host",
    ],
    [
      "a proxy between",
      () => ({ ...bearer(server.token), "x-forwarded-for": "203.0.113.9" }),
      403,
      "foreign_address",
    ],
  ];
  for (const [title, headers, status, code] of refused) {
    it(`refuses ${title}`, async () => {
      for (const [method, path] of PROTECTED) {
        const answer = await raw(method, path, headers());
        assert.deepEqual([answer.status, answer.code], [status, code], `${method} ${path}`);
      }
    });
  }

  for (const host of ["localhost", "127.0.0.1", "127.8.8.8:99", "[::1]:80", "LocalHost:8255"]) {
    it(`answers to the name ${host}`, async () => {
      const answer = await raw("GET", "/api/v1/keys", { ...bearer(server.token), host });
      assert.equal(answer.status, 200);
    });
  }
});

it("answers open routes to anybody, without a name of a node", async () => {
  for (const path of OPEN) {
    const answer = await raw("GET", path, { host: "evil.example" });
    assert.equal(answer.status, 200, path);
  }
  assert.match((await raw("GET", "/metrics")).body, /^tallystick_journal_records \d+$/m);
});

it("sends security headers with every answer, also refusals", async () => {
  for (const path of ["/healthz", "/api/v1/keys", "/nothing"]) {
    const { headers } = await fetch(new URL(path, server.url));
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

describe("wrong input", () => {
  const bad: [method: string, path: string, body: unknown, status: number, code: string][] = [
    ["GET", "/api/v1/status?x=1", undefined, 200, ""],
    ["GET", "/api/v1/connections?limit=0", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?limit=10001", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?limit=1e3", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?unknown=1", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?__proto__=1", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?verdict=wrong", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?verdict=matched&verdict=wrong", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?since=yesterday", undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?node=a&node=b", undefined, 400, "bad_request"],
    ["GET", `/api/v1/connections?node=${"a".repeat(64)}`, undefined, 400, "bad_request"],
    ["GET", "/api/v1/connections?cursor=abc", undefined, 400, "bad_cursor"],
    ["GET", "/api/v1/connections?follow=abc", undefined, 400, "bad_cursor"],
    ["GET", `/api/v1/connections?cursor=${btoa('["follow",1,"a"]')}`, undefined, 400, "bad_cursor"],
    ["GET", "/api/v1/connections?where=prot%3A22", undefined, 400, "bad_query"],
    ["GET", "/api/v1/findings?where=port%3A22", undefined, 400, "bad_query"],
    ["GET", "/api/v1/findings?severity=worst", undefined, 400, "bad_request"],
    ["GET", "/api/v1/findings?state=wrong", undefined, 400, "bad_request"],
    ["GET", "/api/v1/findings/..%2f..%2fetc", undefined, 404, "unknown_finding"],
    ["GET", `/api/v1/findings/${"f".repeat(32)}`, undefined, 404, "unknown_finding"],
    ["GET", "/api/v1/nodes/nobody", undefined, 404, "unknown_node"],
    ["POST", "/api/v1/nodes/nobody/revoke", undefined, 404, "unknown_node"],
    ["POST", "/api/v1/nodes/__proto__/revoke", undefined, 404, "unknown_node"],
    ["DELETE", "/api/v1/keys/nothing", undefined, 404, "unknown_key"],
    ["POST", "/api/v1/keys", { reusable: "yes" }, 400, "bad_request"],
    ["POST", "/api/v1/keys", { ttl_ms: 0 }, 400, "bad_ttl"],
    ["POST", "/api/v1/keys", { ttl_ms: 1e15 }, 400, "bad_ttl"],
    ["POST", "/api/v1/keys", { ttl_ms: 1.5 }, 400, "bad_request"],
    ["POST", "/api/v1/keys", { tags: ["a b"] }, 400, "bad_tag"],
    ["POST", "/api/v1/keys", { tags: "a" }, 400, "bad_request"],
    ["POST", "/api/v1/keys", { other: 1 }, 400, "bad_request"],
    ["POST", "/api/v1/keys", [], 400, "bad_request"],
    ["POST", "/api/v1/keys", null, 400, "bad_request"],
    ["POST", "/api/v1/keys", undefined, 400, "bad_request"],
    ["POST", "/api/v1/sql", {}, 400, "bad_request"],
    ["POST", "/api/v1/sql", { sql: 1 }, 400, "bad_request"],
    ["POST", "/api/v1/sql", { sql: "" }, 400, "sql_empty"],
    ["POST", "/api/v1/sql", { sql: "SELECT", limit: -1 }, 400, "bad_request"],
    ["POST", "/api/v1/sql", { sql: "DROP TABLE connections" }, 400, "sql_not_select"],
    [
      "POST",
      "/api/v1/sql",
      { sql: "SELECT * FROM file('/etc/passwd')" },
      400,
      "sql_table_function",
    ],
    ["POST", "/api/v1/sql", { sql: "SELECT * FROM system.tables" }, 400, "sql_table"],
    ["POST", "/api/v1/sql", { sql: "SELECT * FROM connection_rows" }, 400, "sql_table"],
    ["POST", "/api/v1/sql", { sql: "x".repeat(70_000) }, 400, "bad_request"],
    ["POST", "/api/v1/sql", { sql: "x".repeat(200_000) }, 413, "payload_too_large"],
    ["PUT", "/api/v1/keys", {}, 404, "not_found"],
    ["GET", "/api/v1/", undefined, 404, "not_found"],
    ["GET", "/api/v2/status", undefined, 404, "not_found"],
  ];
  for (const [method, path, body, status, code] of bad) {
    const shown = body === undefined ? "" : JSON.stringify(body).slice(0, 60);
    it(`${method} ${path.slice(0, 60)} ${shown} → ${status} ${code}`, async () => {
      const answer = await server.call<Partial<Problem>>(method, path, body);
      assert.deepEqual([answer.status, answer.body.code ?? ""], [status, code]);
      if (code === "") return;
      assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/);
      for (const field of ["title", "detail", "hint"] as const) {
        assert.equal(typeof answer.body[field], "string", field);
      }
    });
  }

  it("refuses bodies that are no JSON, or another type", async () => {
    assert.deepEqual(await postKey("application/json", "{"), [400, "bad_request"]);
    assert.deepEqual(await postKey("application/json", '{"__proto__": {"reusable": true}}'), [
      400,
      "bad_request",
    ]);
    assert.deepEqual(await postKey("text/plain", "{}"), [415, "unsupported_media_type"]);
  });

  const paths = [
    "/../admin.token",
    "/%2e%2e/admin.token",
    "/api/v1/../../admin.token",
    "//admin.token",
    "/admin.token",
    "/api/v1/nodes/..%2f..%2fadmin.token",
    "/\\..\\admin.token",
    "/%00",
  ];
  for (const path of paths) {
    it(`serves no file: ${path}`, async () => {
      const answer = await raw("GET", path, bearer(server.token));
      assert.ok([400, 404].includes(answer.status), String(answer.status));
      assert.doesNotMatch(answer.body, /tsa1\./);
    });
  }
});

it("refuses endless headers and what is not HTTP, and goes on", async () => {
  const { hostname, port } = new URL(server.url);
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.write(bytes);
    return text(socket);
  };
  assert.match(
    await exchange(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1.1 431 /,
  );
  assert.match(await exchange("SSH-2.0-x\r\n\r\n"), /^HTTP\/1.1 400 /);
  assert.equal((await raw("GET", "/healthz")).status, 200);
});

it("does not take the token from another address, nor a node's word for it", async (context) => {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find((one) => !one.internal && one.family === "IPv4");
  if (own === undefined) return context.skip("this machine has no address beyond loopback");
  await using wide = await ServerProcess.start(["--listen", "0.0.0.0:0", "--allow-http"]);
  const at = new URL(wide.url);
  at.hostname = own.address;
  const response = await fetch(new URL("/api/v1/keys", at), { headers: bearer(wide.token) });
  assert.equal(response.status, 200, "the machine's own address is the machine");
});

it("believes a proxy that it was told of, and its word against the caller", async () => {
  await using proxied = await ServerProcess.start([
    "--trust-proxy",
    "127.0.0.1",
    "--public-url",
    "https://logs.example.org",
  ]);
  const ask = (headers: Record<string, string>) => {
    const { hostname, port } = new URL(proxied.url);
    return new Promise<number>((resolve, reject) => {
      request(
        { hostname, port, path: "/api/v1/keys", headers: { ...bearer(proxied.token), ...headers } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      )
        .on("error", reject)
        .end();
    });
  };
  assert.equal(await ask({ host: "logs.example.org", "x-forwarded-for": "127.0.0.1" }), 200);
  assert.equal(await ask({ host: "logs.example.org", "x-forwarded-for": "203.0.113.9" }), 403);
  assert.equal(await ask({ host: "other.example.org", "x-forwarded-for": "127.0.0.1" }), 421);
});
