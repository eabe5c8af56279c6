import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { after, beforeEach, describe, it } from "node:test";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { AccessEnds, type Ended } from "../../control/access-ends.ts";
import { ADMIN } from "../../control/test-control.ts";
import { ManualClock } from "../../std/clock.ts";
import type { Principal } from "./principal.ts";
import { changes, unaudited } from "./route-config.ts";
import { RunningRequests } from "./running-requests.ts";

const SESSION: Principal = {
  who: ADMIN,
  role: "admin",
  session: "s1",
  by: "session",
  user: { id: "u1", name: "ada" },
};

let clock: ManualClock;
let ends: AccessEnds;
let running: RunningRequests;
let app: FastifyInstance;
let dead: Set<string>;
/** Resolves when the handler has begun; and ends it, where it waits to be told. */
let begun: PromiseWithResolvers<FastifyRequest>;
let end: PromiseWithResolvers<void>;
const apps: FastifyInstance[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  ends = new AccessEnds();
  dead = new Set();
  begun = Promise.withResolvers();
  end = Promise.withResolvers();
  const isAlive = ({ session }: Principal): boolean => !dead.has(session);
  running = new RunningRequests({ clock, ends, isAlive });
  app = fastify();
  apps.push(app);
  running.register(app);
  app.addHook("onRequest", async (request, reply) => running.begin(request, reply, SESSION));
  app.get("/heeds", { config: unaudited("sql") }, async ({ gone }) => {
    begun.resolve({ gone } as FastifyRequest);
    await once(gone, "abort");
    throw new Error("the engine says that the query was cancelled");
  });
  app.get("/heedless", { config: unaudited("sql") }, async () => {
    begun.resolve({} as FastifyRequest);
    await end.promise;
    return { secret: "what was read" };
  });
  app.get("/stream", { config: unaudited("sql") }, (_request, reply) => {
    reply.send(Readable.from(endless()));
  });
  app.post("/change", { config: changes("sql", "sql.change") }, async () => {
    begun.resolve({} as FastifyRequest);
    await end.promise;
    return { done: true };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
});
after(() => Promise.all(apps.map((each) => each.close())));

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield "line\n";
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function ask(path: string, method = "GET"): Promise<Response> {
  const { port } = app.server.address() as { port: number };
  return fetch(`http://127.0.0.1:${port}${path}`, { method });
}

const told: Ended[] = [{ user: "u1" }, { session: "s1" }];

describe("when a session ends", () => {
  for (const ended of told) {
    it(`what heeds it is stopped, and answers that: ${Object.keys(ended).join()}`, async () => {
      const answer = ask("/heeds");
      await begun.promise;
      ends.tell(ended);
      const response = await answer;
      assert.equal(response.status, 401);
      assert.equal(((await response.json()) as { code: string }).code, "unauthorized");
    });
  }

  it("what was read meanwhile is not answered", async () => {
    const answer = ask("/heedless");
    await begun.promise;
    ends.tell({ session: "s1" });
    end.resolve();
    const response = await answer;
    assert.deepEqual([response.status, (await response.text()).includes("secret")], [401, false]);
  });

  it("what does not answer in time is cut off", async () => {
    const answer = ask("/heedless");
    await begun.promise;
    ends.tell({ session: "s1" });
    clock.advance(999);
    await assert.rejects(answer);
    end.resolve();
  });

  it("a stream is cut off at once", async () => {
    const response = await ask("/stream");
    assert.equal(response.status, 200);
    ends.tell({ session: "s1" });
    await assert.rejects(response.text());
  });

  it("a change that has begun is finished and answered", async () => {
    const answer = ask("/change", "POST");
    await begun.promise;
    ends.tell({ session: "s1" });
    clock.advance(60_000);
    end.resolve();
    assert.deepEqual(await (await answer).json(), { done: true });
  });

  it("by time alone, it is noticed within 15 seconds", async () => {
    const response = await ask("/stream");
    clock.advance(60_000);
    assert.equal(running.size, 1);
    dead.add("s1");
    clock.advance(15_000);
    await assert.rejects(response.text());
  });
});

it("lets others go on", async () => {
  const answer = ask("/heedless");
  await begun.promise;
  for (const ended of [{ user: "u2" }, { session: "s2" }, { token: "s1" }] as const) {
    ends.tell(ended);
  }
  clock.advance(60_000);
  end.resolve();
  assert.equal((await answer).status, 200);
});

it("tells a handler when its client hangs up, and forgets the request", async () => {
  const gone = new AbortController();
  const { port } = app.server.address() as { port: number };
  const answer = fetch(`http://127.0.0.1:${port}/heeds`, { signal: gone.signal });
  const request = await begun.promise;
  const aborted = once(request.gone, "abort");
  gone.abort();
  await assert.rejects(answer);
  await aborted;
  assert.equal(running.size, 0);
});
