/** The description of the API: a document that a validator takes, and that the server's answers fit. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { LISTED } from "../../src/serve/route-problems.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { Person } from "./person.ts";
import { named, ROUTES } from "./route-table.ts";
import { type Answer, ServerProcess } from "./server-process.ts";
import { WebhookReceiver } from "./webhook-receiver.ts";

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly security?: readonly object[];
  readonly "x-access": string;
  readonly "x-audit": { readonly leaves: string; readonly action: string | null };
  readonly responses: Record<string, { readonly content?: Record<string, { schema: TSchema }> }>;
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: { readonly Problem: TSchema } };
}

let server: ServerProcess;
let document: Document;
before(async () => {
  server = await ServerProcess.start();
  document = (await server.call<Document>("GET", "/api/v1/openapi.json")).body;
});
after(() => server[Symbol.asyncDispose]());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("the description", () => {
  it("is OpenAPI 3.1, by a validator of the specification's own schema", async () => {
    const validator = new Validator();
    const result = await validator.validate({ ...document });
    assert.deepEqual(result.errors ?? [], []);
    assert.deepEqual([result.valid, validator.version], [true, "3.1"]);
  });

  it("is found wrong by the same validator where it is wrong", async () => {
    const wrong = { ...document, paths: { "/x": { get: { responses: { 200: {} } } } } };
    assert.equal((await new Validator().validate(wrong as never)).valid, false);
  });

  it("names each operation once, with a tag that there is", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    assert.deepEqual(ids.toSorted(), [...new Set(ids)].toSorted());
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operation, path } of operations()) {
      assert.ok(operation.tags.length === 1 && tags.has(operation.tags[0] ?? ""), path);
    }
  });

  it("says who may, what is left in the audit, and by which credential, as the routes ought to", () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method.toUpperCase()} ${path}`;
      const expected = ROUTES.find((route) => named(route) === name);
      assert.equal(operation["x-access"], expected?.access, name);
      const [leaves] = expected?.audit.split(" ") ?? [];
      assert.equal(operation["x-audit"].leaves, leaves, name);
      const isOpen = ["public", "sign-in"].includes(operation["x-access"]);
      assert.deepEqual(operation.security, isOpen ? [] : undefined, name);
    }
  });
});

it("lists problems of routes that there are", () => {
  const actions = new Set(operations().map(({ operation }) => operation["x-audit"].action));
  const paths = new Set(Object.keys(document.paths));
  assert.deepEqual(
    LISTED.actions.filter((action) => !actions.has(action)),
    [],
  );
  assert.deepEqual(
    LISTED.paths.filter((path) => !paths.has(path.replace(/:(\w+)/, "{$1}"))),
    [],
  );
});

/** That an answer is as its operation says. */
function fits(method: string, path: string, answer: Answer<unknown>): void {
  const operation = document.paths[path]?.[method.toLowerCase()];
  const described = operation?.responses[answer.status];
  const name = `${method} ${path} ${answer.status}`;
  assert.ok(described !== undefined, `${name} is not described: ${JSON.stringify(answer.body)}`);
  const [media = ""] = (answer.headers.get("content-type") ?? "").split(";");
  if (described.content === undefined) return assert.equal(answer.body, "", name);
  const schema = described.content[media]?.schema;
  assert.ok(schema !== undefined, `${name} has no ${media}`);
  const whole = { ...schema, components: document.components } as TSchema;
  const compiled = Compile(whole);
  assert.deepEqual([...compiled.Errors(answer.body)], [], name);
}

it("describes what a story is answered", async () => {
  await using receiver = await WebhookReceiver.listen();
  const node = await joined(server, "node-a");
  const atMs = Date.now() - 1_000;
  const half = open(atMs, "initiator", tcp("10.9.7.1", 5_000, "10.9.7.9"));
  assert.equal((await send(server, node, [addresses(atMs, "10.9.7.1"), half])).status, 200);
  const twin = await joined(server, "node-b");
  assert.equal((await send(server, twin, [addresses(atMs, "10.9.7.1")])).status, 200);
  await server.until(
    async () => (await server.call<{ items: unknown[] }>("GET", "/api/v1/findings")).body.items,
    (items) => items.length > 0,
  );
  await server.until(
    async () => (await server.call<{ items: unknown[] }>("GET", "/api/v1/connections")).body.items,
    (items) => items.length > 0,
  );
  const finding = await server.call<{ items: { id: string }[] }>("GET", "/api/v1/findings");
  const id = finding.body.items[0]?.id ?? "";
  const story: [method: string, path: string, body?: object | undefined, real?: string][] = [
    ["GET", "/api/v1/status"],
    ["GET", "/api/v1/nodes"],
    ["GET", "/api/v1/nodes/{id}", undefined, "node-a"],
    ["GET", "/api/v1/nodes/{id}", undefined, "nobody"],
    ["POST", "/api/v1/nodes/{id}/revoke", undefined, "node-b"],
    ["POST", "/api/v1/nodes/{id}/revoke", undefined, "node-b"],
    ["POST", "/api/v1/keys", {}],
    ["POST", "/api/v1/keys", { ttl_ms: 0 }],
    ["GET", "/api/v1/keys"],
    ["DELETE", "/api/v1/keys/{id}", undefined, "nothing"],
    ["GET", "/api/v1/connections"],
    ["GET", "/api/v1/connections/histogram"],
    ["GET", "/api/v1/findings"],
    ["GET", "/api/v1/findings/{id}", undefined, id],
    ["POST", "/api/v1/findings/{id}/acknowledge", { reason: "known" }, id],
    ["GET", "/api/v1/findings/{id}", undefined, id],
    ["POST", "/api/v1/findings/{id}/reopen", { reason: "no" }, id],
    ["POST", "/api/v1/sql", { sql: "SELECT 1" }],
    ["POST", "/api/v1/sql", { sql: "DROP TABLE x" }],
    ["POST", "/api/v1/views", { name: "v", topic: "findings", query: "" }],
    ["GET", "/api/v1/views"],
    ["POST", "/api/v1/users", { name: "ada", role: "viewer" }],
    ["POST", "/api/v1/users", { name: "ada", role: "viewer" }],
    ["GET", "/api/v1/users"],
    ["GET", "/api/v1/profile"],
    ["PUT", "/api/v1/webhook", { url: receiver.url }],
    ["PUT", "/api/v1/webhook", { url: "http://example.org/" }],
    ["GET", "/api/v1/webhook"],
    ["POST", "/api/v1/webhook/test"],
    ["DELETE", "/api/v1/webhook"],
    ["GET", "/api/v1/webhook"],
  ];
  for (const [method, path, body, real = ""] of story) {
    fits(method, path, await server.call(method, path.replace("{id}", real), body));
  }
  const bob = await Person.join(server, "bob", "owner");
  const token = await bob.call("POST", "/api/v1/tokens", { name: "t" });
  for (const path of ["/api/v1/sessions", "/api/v1/tokens", "/api/v1/profile"]) {
    const { status, body } = await bob.call("GET", path);
    const headers = new Headers({ "content-type": "application/json" });
    fits("GET", path, { status, body, headers });
  }
  assert.equal(token.status, 201);
});

it("does not fit what is answered otherwise", () => {
  const wrong: [status: number, type: string, body: unknown][] = [
    [200, "application/json", { items: [{ id: 1 }] }],
    [200, "text/plain", ""],
    [418, "application/json", {}],
    [403, "application/problem+json", {}],
    [403, "application/problem+json", { code: "forbidden", status: 403 }],
    [403, "application/problem+json", { ...problem, code: "store_failed" }],
  ];
  for (const [status, type, body] of wrong) {
    const answer = { status, body, headers: headersOf(type) };
    assert.throws(() => fits("GET", "/api/v1/keys", answer), assert.AssertionError, type);
  }
  const right = { status: 403, body: problem, headers: headersOf("application/problem+json") };
  fits("GET", "/api/v1/keys", right);
});

const headersOf = (type: string) => new Headers({ "content-type": type });
const problem = { status: 403, code: "forbidden", title: "t", detail: "d", hint: "h" };
