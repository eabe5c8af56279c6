/**
 * What an attacker would put where a person puts a name, a number or a reason: through every parameter
 * and every body of the API's own description, so that a new route is tried too. Nothing fails inside
 * the server, nothing is found that should not be, and what is shown on a terminal stays text.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { text as read } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { joined, send } from "./joined-node.ts";
import { ROUTES, named } from "./route-table.ts";
import { ServerProcess } from "./server-process.ts";

const TEXTS = [
  "' OR 1=1 --",
  `"; DROP TABLE connection_rows; --`,
  "\\' OR ''='",
  "{q0:String}",
  "{limit:UInt32}",
  "%' OR '%'='",
  "\u0000",
  "\u202eevil\u200b",
  "\u001b[2J\u001b]0;owned\u0007",
  "../../../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "file:///etc/passwd",
  "http://169.254.169.254/",
  "__proto__",
  "constructor",
  "=cmd|'/c calc'!A0",
  "<script>alert(1)</script>",
  "\ud800",
  "a".repeat(5_000),
  "-1",
  "9".repeat(400),
  "1e309",
  "NaN",
  "[]",
  "(".repeat(200),
  "/".repeat(50),
  String.raw`/(a+)+$/`,
];

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
}

interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: unknown;
}

let server: ServerProcess;
let operations: [method: string, path: string, operation: Operation][];

before(async () => {
  server = await ServerProcess.start();
  const node = await joined(server, "web-1");
  assert.equal((await send(server, node, [node.logEntry()])).status, 200);
  const { body } = await server.call<{ paths: Record<string, Record<string, Operation>> }>(
    "GET",
    "/api/v1/openapi.json",
  );
  operations = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      method.toUpperCase(),
      path,
      operation,
    ]),
  );
});
after(() => server[Symbol.asyncDispose]());

/** Events never end by themselves: their beginning is enough. */
async function statusOf(method: string, path: string, body?: string): Promise<number> {
  const gone = new AbortController();
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: {
      authorization: `Bearer ${server.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
    signal: gone.signal,
    redirect: "manual",
  });
  gone.abort();
  return response.status;
}

/** A path that fits the description, with one parameter replaced. */
function pathWith(
  path: string,
  parameters: readonly Parameter[],
  name: string,
  text: string,
): string {
  const route = ROUTES.find((each) => each.path === path);
  const value = encodeURIComponent(text.toWellFormed());
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, own: string) =>
    own === name ? value : (route?.id ?? "a"),
  );
  const isQuery = parameters.some((each) => each.name === name && each.in === "query");
  const query = new URLSearchParams(route?.query ?? "");
  query.delete(name);
  const others = query.toString();
  const pairs = [...(others === "" ? [] : [others]), ...(isQuery ? [`${name}=${value}`] : [])];
  return pairs.length === 0 ? filled : `${filled}?${pairs.join("&")}`;
}

describe("hostile input", () => {
  it("through every parameter is refused or finds nothing, and fails nowhere", async () => {
    const failed: string[] = [];
    let tried = 0;
    for (const [method, path, { parameters }] of operations) {
      for (const { name } of parameters) {
        for (const text of TEXTS) {
          const status = await statusOf(method, pathWith(path, parameters, name, text));
          tried++;
          if (status >= 500)
            failed.push(
              `${method} ${path} ${name}=${JSON.stringify(text.slice(0, 40))}: ${status}`,
            );
        }
      }
    }
    assert.deepEqual(failed, []);
    assert.ok(tried > 500, `${tried} requests`);
  });

  it("in every body is refused, also as members that objects inherit", async () => {
    const bodies = [
      "{",
      "null",
      "[]",
      '"text"',
      "1",
      '{"__proto__":{"role":"owner"}}',
      '{"constructor":{"prototype":{"role":"owner"}}}',
      `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
      `{"name":"${"a".repeat(130_000)}"}`,
      '{"reason":"\\ud800"}',
    ];
    const failed: string[] = [];
    for (const route of ROUTES.filter(({ method }) => method !== "GET")) {
      for (const body of bodies) {
        const status = await statusOf(
          route.method,
          route.path.replace("{id}", route.id ?? "a"),
          body,
        );
        const isFine = status >= 400 && status < 500;
        // Where nothing is asked for, anything may be sent.
        if (!isFine && (route.body !== undefined || status >= 500)) {
          failed.push(`${named(route)} ${body.slice(0, 40)}: ${status}`);
        }
      }
    }
    assert.deepEqual(failed, []);
    assert.equal(({} as Record<string, unknown>)["role"], undefined);
  });

  it("finds no more than what fits", async () => {
    for (const text of TEXTS.slice(0, 6)) {
      const where = encodeURIComponent(JSON.stringify(text));
      const { status, body } = await server.call<{ items?: unknown[] }>(
        "GET",
        `/api/v1/findings?where=${where}`,
      );
      assert.deepEqual([status, body.items], [200, []], text);
    }
  });

  it("in an address line, a header or its size is refused by a code", async () => {
    const long = await statusOf("GET", `/api/v1/nodes/${"a".repeat(7_000)}`);
    assert.ok(long >= 400 && long < 500, String(long));
    for (const path of [
      "/api/v1/../../etc/passwd",
      "/..%2f..%2fetc%2fpasswd",
      "/api/v1/%2e%2e/x",
      "/api/v1//nodes",
    ]) {
      assert.equal(await statusOf("GET", path), 404, path);
    }
  });

  it("that never ends its headers is cut off with an answer, and keeps nobody else waiting", async () => {
    const { hostname, port } = new URL(server.url);
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect(Number(port), hostname);
      socket.write("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
      return read(socket);
    });
    assert.equal((await server.call("GET", "/api/v1/nodes")).status, 200);
    for (const answer of await Promise.all(slow)) assert.match(answer, /^HTTP\/1.1 4\d\d /);
  });

  it("in a saved view fits its audit entry or is refused, and never stops the audit", async () => {
    const saved = async (name: string, settings: object) => {
      const view = { name, topic: "audit", query: "", settings };
      return (await server.call("POST", "/api/v1/views", view)).status;
    };
    let deep: object = {};
    for (let level = 0; level < 40; level++) deep = { deep };
    assert.equal(await saved("deep", deep), 201);
    assert.equal(await saved("twice", { "\ud800": 1, "\udbff": 2 }), 400);
    assert.equal(await saved("last", {}), 201);
    const list = "/api/v1/audit?action=view.create";
    const { body } = await server.until(
      () => server.call<{ items: { target: string }[] }>("GET", list),
      (answer) => answer.body.items.some((item) => item.target === "last"),
    );
    assert.ok(body.items.some((item) => item.target === "deep"));
    assert.ok(body.items.every((item) => item.target !== "twice"));
  });

  it("leaves the server as it was", async () => {
    const { status, body } = await server.call<{ items: { name: string }[] }>(
      "GET",
      "/api/v1/nodes",
    );
    assert.deepEqual([status, body.items.map(({ name }) => name)], [200, ["web-1"]]);
    const sql = { sql: "SELECT count() FROM logs WHERE node = 'web-1'" };
    await server.until(
      () => server.call<{ rows: unknown[][] }>("POST", "/api/v1/sql", sql),
      (answer) => Number(answer.body.rows[0]?.[0]) >= 1,
    );
  });
});
