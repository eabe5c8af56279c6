/** The typed client against a server, with `fetch` to carry its requests, as in a browser. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { ApiProblem } from "../../src/api/answer.ts";
import { type Api, apiClient } from "../../src/api/client.ts";
import { ROUTES } from "../../src/api/routes.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let api: Api;
before(async () => {
  server = await ServerProcess.start();
  api = apiClient({
    async send({ method, path, headers, body }) {
      const response = await fetch(new URL(path, server.url), {
        method,
        headers: { ...headers, authorization: `Bearer ${server.token}` },
        ...(body === undefined ? {} : { body }),
      });
      const retryAfter = response.headers.get("retry-after") ?? undefined;
      return { status: response.status, body: await response.text(), retryAfter };
    },
  });
  // The store answers before its tables are made.
  const isSearchable = () =>
    api.call("GET /connections").then(
      () => true,
      (error: unknown) => !(error instanceof ApiProblem && error.code.startsWith("store_")),
    );
  await server.until(isSearchable, (is) => is);
});
after(() => server[Symbol.asyncDispose]());

it("makes, lists and revokes a key, and makes it once by the same idempotency key", async () => {
  const asked = { body: { reusable: true, tags: ["db"] }, idempotencyKey: "k1" } as const;
  const made = await api.call("POST /keys", asked);
  const again = await api.call("POST /keys", asked);
  assert.equal(again.id, made.id);
  assert.match(String(made.key), /^tsk/);
  assert.equal(again.key, null);
  const { items } = await api.call("GET /keys");
  assert.deepEqual(
    items.map(({ id, tags, reusable }) => [id, tags, reusable]),
    [[made.id, ["db"], true]],
  );
  const revoked = await api.call("DELETE /keys/{id}", { params: { id: made.id } });
  assert.equal(revoked.state, "revoked");
});

it("has nothing where the server has nothing to say", async () => {
  const url = "http://127.0.0.1:9/";
  assert.equal((await api.call("PUT /webhook", { body: { url } })).url, url);
  assert.equal(await api.call("DELETE /webhook"), undefined);
});

it("sends lists and numbers as the server reads them", async () => {
  const query = { verdict: ["missing", "differs"], limit: 3, since: "7d" } as const;
  assert.deepEqual((await api.call("GET /connections", { query })).items, []);
});

it("tells what is wrong, and where", async () => {
  const query = { where: "port:22 nofield:1" };
  await assert.rejects(api.call("GET /connections", { query }), (error) => {
    assert.ok(error instanceof ApiProblem);
    const { status, code, from, to } = error;
    assert.deepEqual([status, code, query.where.slice(from, to)], [400, "bad_query", "nofield"]);
    return true;
  });
  const unknown = api.call("GET /nodes/{id}", { params: { id: "no/such node" } });
  await assert.rejects(unknown, (error) => {
    return error instanceof ApiProblem && error.code === "unknown_node" && error.hint !== "";
  });
});

it("knows every route that the server describes, and no other", async () => {
  const { paths } = await api.call("GET /openapi.json");
  const described = Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.slice(7)}`),
  );
  assert.deepEqual(described.toSorted(), Object.keys(ROUTES).toSorted());
});
