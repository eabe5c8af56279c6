import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiProblem, type ApiResponse, ForeignAnswer } from "./answer.ts";
import { type Api, apiClient } from "./client.ts";
import type { ApiRequest } from "./request.ts";

/** What was sent, and what a call then gave. */
async function calling<T>(
  response: ApiResponse,
  call: (api: Api) => Promise<T>,
): Promise<{ sent: ApiRequest | undefined; answer: T }> {
  let sent: ApiRequest | undefined;
  const api = apiClient({
    send: async (request) => {
      sent = request;
      return response;
    },
  });
  const answer = await call(api);
  return { sent, answer };
}

const EMPTY: ApiResponse = { status: 200, body: '{"items":[]}' };
const json = { "content-type": "application/json" };

const requests: [title: string, call: (api: Api) => Promise<unknown>, sent: ApiRequest][] = [
  [
    "a path without anything",
    (api) => api.call("GET /nodes"),
    { method: "GET", path: "/api/v1/nodes", headers: {} },
  ],
  [
    "a name with a slash and a space",
    (api) => api.call("GET /nodes/{id}", { params: { id: "a/b c?" } }),
    { method: "GET", path: "/api/v1/nodes/a%2Fb%20c%3F", headers: {} },
  ],
  [
    "a query of lists, without what is undefined",
    (api) =>
      api.call("GET /findings", {
        query: { state: ["open", "excused"], limit: 5, where: "a&b", node: undefined, kind: [] },
      }),
    {
      method: "GET",
      path: "/api/v1/findings?state=open&state=excused&limit=5&where=a%26b",
      headers: {},
    },
  ],
  [
    "a body, with a key under which it is done once",
    (api) =>
      api.call("POST /keys", { body: { reusable: true, tags: undefined }, idempotencyKey: "k1" }),
    {
      method: "POST",
      path: "/api/v1/keys",
      headers: { ...json, "idempotency-key": "k1" },
      body: '{"reusable":true}',
    },
  ],
  [
    "params and body",
    (api) =>
      api.call("POST /users/{id}/role", { params: { id: "ada" }, body: { role: "auditor" } }),
    {
      method: "POST",
      path: "/api/v1/users/ada/role",
      headers: json,
      body: '{"role":"auditor"}',
    },
  ],
];
for (const [title, call, expected] of requests) {
  it(`sends ${title}`, async () => {
    const { sent } = await calling(EMPTY, call);
    assert.deepEqual(sent, expected);
  });
}

describe("an answer", () => {
  it("is what the server said", async () => {
    const { answer } = await calling(EMPTY, (api) => api.call("GET /keys"));
    assert.deepEqual(answer.items, []);
  });

  it("is nothing where there is nothing to say", async () => {
    const { answer } = await calling({ status: 204, body: "" }, (api) => api.call("POST /signout"));
    assert.equal(answer, undefined);
  });
});

it("throws a problem with all that the server said of it", async () => {
  const said = { status: 422, code: "bad_query", title: "t", detail: "d", hint: "h" };
  const body = JSON.stringify({ ...said, from: 3, to: 7 });
  const response = { status: 422, body, retryAfter: "12" };
  const called = calling(response, (api) => api.call("GET /status"));
  await assert.rejects(called, (error) => {
    assert.ok(error instanceof ApiProblem);
    const { message, status, code, title, detail, hint, from, to, retryAfterS } = error;
    assert.equal(message, "t, d, h (bad_query)");
    assert.deepEqual({ status, code, title, detail, hint }, said);
    assert.deepEqual([from, to, retryAfterS], [3, 7, 12]);
    return true;
  });
});

const foreign: [status: number, body: string][] = [
  [200, "<html>"],
  [200, ""],
  [404, "not here"],
  [502, "{}"],
  [500, "null"],
  [500, "[]"],
];
for (const [status, body] of foreign) {
  it(`takes ${status} ${JSON.stringify(body)} for somebody else's`, async () => {
    const called = calling({ status, body }, (api) => api.call("GET /status"));
    await assert.rejects(called, (error) => {
      return error instanceof ForeignAnswer && error.status === status;
    });
  });
}

it("lets through what the way there throws", async () => {
  const lost = new Error("no way");
  const api = apiClient({ send: () => Promise.reject(lost) });
  await assert.rejects(api.call("GET /status"), lost);
});

it("has types that refuse what the server would", () => {
  // Never called: the compiler is what is tested here. Each directive is the assertion, and says what is
  // refused: where the line below it compiles, the directive is the error.
  const wrong: ((api: Api) => Promise<unknown>)[] = [
    // @ts-expect-error refused: no such route
    (api) => api.call("GET /nothing"),
    // @ts-expect-error refused: no such method of it
    (api) => api.call("PUT /nodes/{id}", { params: { id: "a" } }),
    // @ts-expect-error refused: params are missing
    (api) => api.call("GET /nodes/{id}"),
    // @ts-expect-error refused: another parameter
    (api) => api.call("GET /nodes/{id}", { params: { name: "a" } }),
    // @ts-expect-error refused: the body is missing
    (api) => api.call("POST /sql"),
    // @ts-expect-error refused: a field of the body is missing
    (api) => api.call("POST /sql", { body: { limit: 1 } }),
    // @ts-expect-error refused: a field of the body has another type
    (api) => api.call("POST /keys", { body: { reusable: "yes" } }),
    // @ts-expect-error refused: no such role
    (api) => api.call("POST /users", { body: { name: "ada", role: "king" } }),
    // @ts-expect-error refused: no such field of a query
    (api) => api.call("GET /connections", { query: { sort: "size" } }),
    // @ts-expect-error refused: no such verdict
    (api) => api.call("GET /connections", { query: { verdict: ["fine"] } }),
    // @ts-expect-error refused: reading needs no key
    (api) => api.call("GET /nodes", { idempotencyKey: "k" }),
    // @ts-expect-error refused: a stream is no answer
    (api) => api.call("GET /events", { query: { topic: "findings" } }),
    // @ts-expect-error refused: the answer has no such member
    async (api) => (await api.call("GET /status")).colour,
    // @ts-expect-error refused: nothing is answered
    async (api) => (await api.call("DELETE /webhook")).url,
  ];
  const right: ((api: Api) => Promise<string | number | null>)[] = [
    async (api) => (await api.call("GET /nodes/{id}", { params: { id: "a" } })).last_seen,
    async (api) => (await api.call("GET /status")).disk.free_bytes,
    async (api) => (await api.call("POST /keys", { body: {} })).key,
  ];
  assert.deepEqual([wrong.length, right.length], [14, 3]);
});
