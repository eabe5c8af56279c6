import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { Compile } from "typebox/compile";
import type { Entry } from "../../src/format/entry.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { cleanEnv, type Problem, PROGRAM, ServerProcess } from "./server-process.ts";

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly next?: string;
  readonly follow: string;
}

const A = "10.9.0.1";
const B = "10.9.0.2";
const COUNT = 25;

let server: ServerProcess;
let a: SimNode;
let b: SimNode;

/** The close of the open at `openPlace` of the next batch. */
function close(node: SimNode, openPlace: number): Entry {
  return {
    kind: "close",
    atMs: node.atMs,
    openSeq: node.nextSeq + openPlace,
    ageMs: 5,
    state: "SF",
    assured: true,
    counters: {
      initiatorPackets: 4,
      initiatorBytes: 1_000,
      responderPackets: 5,
      responderBytes: 9_000,
    },
    inferred: false,
  };
}

/** Both ends of `count` connections from a to b, each a millisecond after the other. */
async function connectTwo(count: number, portFirst: number): Promise<void> {
  const atMs = Date.now() - 2_000;
  for (const [node, role, own] of [
    [a, "initiator", A],
    [b, "responder", B],
  ] as const) {
    const entries: Entry[] = [addresses(atMs, own)];
    for (let n = 0; n < count; n++) {
      const at = entries.push(open(atMs + n, role, tcp(A, portFirst + n, B))) - 1;
      entries.push({ ...close(node, at), atMs: atMs + n + 5 });
    }
    const answer = await send(server, node, entries);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
}

async function page(path: string): Promise<Page> {
  const { status, body } = await server.call<Page>("GET", `/api/v1${path}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

function compare(x: number, y: number): number {
  return x - y;
}

function newPorts(ports: readonly number[]): number[] {
  return [...new Set(ports.filter((port) => port >= 50_000))].toSorted(compare);
}

function untilMatched(count: number): Promise<Page> {
  return server.until(
    () => page("/connections?verdict=matched&limit=1000"),
    ({ items }) => items.length >= count,
  );
}

before(async () => {
  server = await ServerProcess.start();
  a = await joined(server, "node-a");
  b = await joined(server, "node-b");
  await connectTwo(COUNT, 40_000);
  await untilMatched(COUNT);
});
after(() => server[Symbol.asyncDispose]());

describe("connections", () => {
  it("show both ends' names, counts and one verdict", async () => {
    const { items } = await page("/connections?limit=1");
    const { opened_at, closed_at, connection_id, community_id, updated_index, ...rest } =
      items[0] ?? {};
    assert.match(String(opened_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(Date.parse(String(closed_at)) - Date.parse(String(opened_at)), 5);
    assert.match(String(connection_id), /^[0-9a-f]{32}$/);
    assert.match(String(community_id), /^1:/);
    assert.equal(typeof updated_index, "number");
    assert.deepEqual(rest, {
      network: "default",
      proto: "tcp",
      initiator_ip: A,
      initiator_port: 40_000 + COUNT - 1,
      responder_ip: B,
      responder_port: 443,
      initiator_node: "node-a",
      responder_node: "node-b",
      verdict: "matched",
      excuse: "",
      initiator_bytes: 1_000,
      responder_bytes: 9_000,
      initiator_packets: 4,
      responder_packets: 5,
      end_state: "SF",
      counters: rest["counters"],
    });
  });

  it("come in pages that lose and repeat nothing", async () => {
    const ports: unknown[] = [];
    let cursor = "";
    for (;;) {
      const { items, next } = await page(`/connections?limit=10${cursor}`);
      ports.push(...items.map((item) => item["initiator_port"]));
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    const expected = Array.from({ length: COUNT }, (_, n) => 40_000 + COUNT - 1 - n);
    assert.deepEqual(ports, expected);
  });

  const filters: [query: string, count: number][] = [
    ["node=node-a", COUNT],
    ["node=node-b&verdict=matched&verdict=missing", COUNT],
    ["verdict=missing", 0],
    ["where=verdict:matched", COUNT],
    ["where=-verdict:matched", 0],
    [`where=ip:10.9.0.0/16+node:node-*+duration:5ms`, COUNT],
    [`where=${A}:40001`, 1],
    ["where=initiator_port:40001..40003+OR+initiator_port>40022", 5],
    ["where=bytes:10kB+proto:TCP&verdict=matched", COUNT],
    ["since=1h", COUNT],
    ["since=1s", 0],
    ["until=1h", 0],
    [`since=${Date.now() - 3_600_000}&until=${Date.now() + 3_600_000}`, COUNT],
  ];
  for (const [query, count] of filters) {
    it(`filtered by ${query.replaceAll(/\d{13}/g, "MS")}: ${count}`, async () => {
      assert.equal((await page(`/connections?limit=1000&${query}`)).items.length, count);
    });
  }

  const values: [query: string, items: readonly string[]][] = [
    ["field=initiator_node", ["node-a"]],
    ["field=node", ["node-a", "node-b"]],
    ["field=node&prefix=NODE-B", ["node-b"]],
    ["field=ip&prefix=10.9", [A, B]],
    ["field=initiator_port&prefix=4000&limit=3", ["40000", "40001", "40002"]],
    ["field=node&where=initiator_port:1", []],
    ["field=verdict&prefix=m", ["matched", "missing"]],
    ["field=opened_at", []],
  ];
  for (const [query, items] of values) {
    it(`complete ${query}`, async () => {
      const { body } = await server.call("GET", `/api/v1/connections/values?${query}`);
      assert.deepEqual(body, { items });
    });
  }

  it("are counted by time and verdict", async () => {
    const since = Date.now() - 3_600_000;
    const { body } = await server.call<{
      readonly from: string;
      readonly to: string;
      readonly step_ms: number;
      readonly parts: readonly { readonly from: string; readonly counts: object }[];
    }>("GET", `/api/v1/connections/histogram?since=${since}&parts=70&where=verdict:matched`);
    assert.equal(body.step_ms, 60_000);
    assert.ok(Date.parse(body.from) <= since && Date.parse(body.to) >= Date.now());
    const sums = body.parts.flatMap(({ counts }) => Object.entries(counts));
    assert.deepEqual([...new Set(sums.map(([verdict]) => verdict))], ["matched"]);
    assert.equal(
      sums.reduce((sum, [, count]) => sum + Number(count), 0),
      COUNT,
    );
    for (const { from } of body.parts) assert.equal(Date.parse(from) % body.step_ms, 0);
  });

  const wrong: [path: string, code: string, detail: RegExp][] = [
    ["connections?node=node-c", "bad_filter", /^unknown node node-c; known: node-a, node-b$/],
    ["findings?node=node-c", "bad_filter", /^unknown node node-c; known: node-a, node-b$/],
    ["connections?node=%27%20OR%201%3D1%20--", "bad_filter", /unknown node ' OR 1=1 --; known/],
    ["connections?verdict=odd", "bad_request", /verdict\.0: must be one of pending, matched, /],
    [
      "findings?kind=odd",
      "bad_request",
      /kind\.0: must be one of accused, missing-half, .*replayed, /,
    ],
    ["findings?severity=odd", "bad_request", /severity\.0: must be one of low, medium, /],
    [
      "findings?state=odd",
      "bad_request",
      /state\.0: must be one of open, excused, acknowledged, resolved$/,
    ],
  ];
  for (const [path, code, detail] of wrong) {
    it(`refuse ${path}, and say what there is`, async () => {
      const { status, body } = await server.call<Problem>("GET", `/api/v1/${path}`);
      assert.deepEqual([status, body.code], [400, code]);
      assert.match(body.detail, detail);
    });
  }

  it("can be followed: changes come once, in their order, also in small pages", async () => {
    let { follow } = await page("/connections?limit=1");
    await connectTwo(7, 50_000);
    await untilMatched(COUNT + 7);
    const ports: number[] = [];
    const indexes: number[] = [];
    const seen: string[] = [];
    for (;;) {
      const changes = await page(`/connections?limit=3&follow=${follow}`);
      ({ follow } = changes);
      // Rows can be seen a moment before the position that a follower is led to.
      if (changes.items.length === 0 && newPorts(ports).length === 7) break;
      indexes.push(...changes.items.map((item) => Number(item["updated_index"])));
      ports.push(...changes.items.map((item) => Number(item["initiator_port"])));
      seen.push(
        ...changes.items.map(
          (item) => `${Number(item["updated_index"])} ${String(item["connection_id"])}`,
        ),
      );
    }
    // At a tick its counters may be decided: that is another change of the same connection.
    assert.deepEqual(
      newPorts(ports),
      Array.from({ length: 7 }, (_, n) => 50_000 + n),
    );
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual(indexes, indexes.toSorted(compare));
  });
});

it("answers what its description says", async () => {
  interface Operation {
    readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
  }
  const { body: document } = await server.call<{
    paths: Record<string, Record<string, Operation>>;
  }>("GET", "/api/v1/openapi.json");
  const asked: [path: string, template: string][] = [
    ["/api/v1/status", "/api/v1/status"],
    ["/api/v1/nodes", "/api/v1/nodes"],
    ["/api/v1/nodes/node-a", "/api/v1/nodes/{id}"],
    ["/api/v1/keys", "/api/v1/keys"],
    ["/api/v1/connections", "/api/v1/connections"],
    ["/api/v1/findings", "/api/v1/findings"],
  ];
  for (const [path, template] of asked) {
    const { body } = await server.call("GET", path);
    const schema =
      document.paths[template]?.["get"]?.responses["200"]?.content?.["application/json"]?.schema;
    const compiled = Compile(schema ?? {});
    assert.ok(compiled.Check(body), `${path}: ${JSON.stringify(compiled.Errors(body))}`);
  }
});

it("puts a batch that was sent twice on record as a finding, with its evidence", async () => {
  const frame = a.sign({ entries: [a.logEntry("first")] });
  a.moveOn(frame);
  const post = () =>
    fetch(new URL("/ingest/v1/batches", server.url), {
      method: "POST",
      headers: { "content-type": "application/vnd.tallystick.batch" },
      body: new Uint8Array(frame.frame),
    });
  assert.equal((await post()).status, 200);
  assert.equal((await send(server, a, [a.logEntry("second")])).status, 200);
  assert.equal((await post()).status, 409);
  const { items } = await server.until(
    () => page("/findings?kind=replayed"),
    (found) => found.items.length > 0,
  );
  const [finding] = items;
  assert.equal(finding?.["node"], "node-a");
  assert.equal(typeof finding["evidence"], "object");
  const { body } = await server.call("GET", `/api/v1/findings/${String(finding["id"])}`);
  assert.deepEqual(body, { ...finding, rulings: [] });
  const none = await page("/findings?state=resolved");
  assert.equal(none.items.length, 0);
});

it("counts coverage by both ends, and says how far the store is", async () => {
  const { body } = await server.call<{
    coverage: { hour: { connections: number; both_ends: number; share: number } };
    store: { state: string };
    nodes: { name: string; state: string; addresses: string[] }[];
  }>("GET", "/api/v1/status");
  const { connections, both_ends, share } = body.coverage.hour;
  assert.ok(connections >= COUNT);
  assert.deepEqual([both_ends, share], [connections, 1]);
  assert.equal(body.store.state, "ok");
  assert.deepEqual(
    body.nodes.map(({ name, state, addresses: list }) => [name, state, list]),
    [
      ["node-a", "active", [A]],
      ["node-b", "active", [B]],
    ],
  );
});

it("shows a new connection within 3 s of its batch to who follows by the command line", async () => {
  const words = [PROGRAM, "connections", "-f", "--json", "--limit", "1", "--data", server.dir];
  const child = spawn(process.execPath, words, { env: cleanEnv({}) });
  try {
    const lines = createInterface({ input: child.stdout });
    await once(lines, "line");
    const sentAtMs = performance.now();
    await connectTwo(1, 60_000);
    for await (const line of lines) {
      if (!line.includes("60000")) continue;
      assert.ok(performance.now() - sentAtMs < 3_000);
      break;
    }
  } finally {
    child.kill();
  }
});

it("shows connections that nobody counted yet with 0 as bytes, and says by counters that it is no count", async () => {
  const sent = await send(server, a, [open(Date.now(), "initiator", tcp(A, 45_000, B))]);
  assert.equal(sent.status, 200);
  const { items } = await server.until(
    () => page("/connections?verdict=pending"),
    (found) => found.items.some((item) => item["initiator_port"] === 45_000),
  );
  const found = items.find((item) => item["initiator_port"] === 45_000);
  assert.deepEqual([found?.["initiator_bytes"], found?.["counters"]], [0, "pending"]);
  const { body } = await server.call<{ paths: object }>("GET", "/api/v1/openapi.json");
  assert.match(JSON.stringify(body.paths), /"initiator_bytes":\{[^}]*0 while nobody told any/);
  const ended = await server.command("connections");
  assert.match(ended.stdout, /10\.9\.0\.1:45000 +node-b 10\.9\.0\.2:443 +\S* +pending\n/);
});
