/** Live events of a real server: in order, resumed without loss or repetition, bounded, audited. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { SimNode } from "../simulate/sim-node.ts";
import { EventClient, type Item } from "./event-client.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { Person } from "./person.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let node: SimNode;
before(async () => {
  server = await ServerProcess.start();
  node = await joined(server, "node-a");
  assert.equal((await send(server, node, [addresses(Date.now(), "10.9.4.1")])).status, 200);
});
after(() => server[Symbol.asyncDispose]());

/** Ports one after the other, so that every connection of this file has its own. */
let port = 20_000;

/** Journals connections in one batch; returns their ports. */
async function connect(count = 1): Promise<number[]> {
  const atMs = Date.now() - 1_000;
  const ports = Array.from({ length: count }, () => port++);
  const opens = ports.map((each) => open(atMs, "initiator", tcp("10.9.4.1", each, "10.9.4.9")));
  assert.equal((await send(server, node, opens)).status, 200);
  return ports;
}

const isPort = (wanted: number | undefined) => (item: Item) => item["initiator_port"] === wanted;
const portsOf = (items: readonly Item[]) => items.map((item) => Number(item["initiator_port"]));
/** True with the last of them, in whatever order: rows of one range of the journal come by their ids. */
const hasAll = (ports: readonly number[]) => {
  const left = new Set(ports);
  return (item: Item) => left.delete(Number(item["initiator_port"])) && left.size === 0;
};
const watch = (query: Readonly<Record<string, string>> = {}, headers = {}) =>
  EventClient.open(server, { topic: "connections", ...query }, headers);

describe("a stream", () => {
  it("begins with its place and gives what is journaled from then on, in order", async () => {
    using client = await watch();
    assert.equal(client.status, 200);
    assert.match(client.response.headers["content-type"] ?? "", /^text\/event-stream/);
    assert.equal(client.response.headers["cache-control"], "no-store");
    const hello = await client.next();
    assert.equal(hello?.event, "hello");
    assert.deepEqual(hello?.data, { cursor: client.place });
    const ports = [...(await connect()), ...(await connect(2)), ...(await connect())];
    const items = await client.itemsUntil(hasAll(ports));
    assert.deepEqual(
      [...new Set(portsOf(items))].toSorted((a, b) => a - b),
      ports,
    );
    const indices = items.map((item) => Number(item["updated_index"]));
    assert.deepEqual(
      indices,
      indices.toSorted((a, b) => a - b),
    );
    // An event never comes before what it says can be found: nobody has to wait and ask again.
    const last = items.at(-1);
    const { body } = await server.call<{ items: Item[] }>(
      "GET",
      `/api/v1/connections?where=port:${Number(last?.["initiator_port"])}`,
    );
    const [found] = body.items;
    assert.deepEqual(Object.keys(found ?? {}), Object.keys(last ?? {}));
    assert.equal(found?.["connection_id"], last?.["connection_id"]);
    assert.ok(Number(found?.["updated_index"]) >= Number(last?.["updated_index"]));
  });

  it("is resumed after any event, by header or query, without loss or repetition", async () => {
    using whole = await watch();
    await whole.next();
    const ports = await connect(7);
    const places: string[] = [];
    const isLast = hasAll(ports);
    const seen = await whole.itemsUntil((item) => {
      places.push(whole.place);
      return isLast(item);
    });
    const order = portsOf(seen);
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      ports,
      "each once",
    );
    for (const [at, place] of places.slice(0, -1).entries()) {
      const how =
        at % 2 === 0 ? watch({ last_event_id: place }) : watch({}, { "last-event-id": place });
      using again = await how;
      assert.deepEqual((await again.next())?.data, { cursor: place });
      const rest = await again.itemsUntil(isPort(order.at(-1)));
      assert.deepEqual(portsOf(rest), order.slice(at + 1));
    }
  });

  it("goes on where a list ended", async () => {
    const { body } = await server.call<{ follow: string }>("GET", "/api/v1/connections?limit=1");
    const [made] = await connect();
    using client = await watch({ last_event_id: body.follow });
    assert.equal((await client.next())?.event, "hello");
    const items = await client.itemsUntil(isPort(made));
    assert.equal(portsOf(items).filter((each) => each === made).length, 1);
  });

  it("gives what fits its filter alone", async () => {
    using client = await watch({ where: `port:${port + 1} OR port:${port + 3}`, node: "node-a" });
    await client.next();
    const ports = await connect(4);
    const wanted = [ports[1] ?? 0, ports[3] ?? 0];
    const items = await client.itemsUntil(hasAll(wanted));
    assert.deepEqual(
      portsOf(items).toSorted((a, b) => a - b),
      wanted,
    );
  });

  it("is one of findings too, as the list answers them", async () => {
    using client = await EventClient.open(server, { topic: "findings", last_event_id: encode() });
    assert.equal((await client.next())?.event, "hello");
    const stranger = await joined(server, "node-twin");
    assert.equal((await send(server, stranger, [addresses(Date.now(), "10.9.4.1")])).status, 200);
    const found = await client.itemsUntil(({ kind }) => kind === "contested-address");
    const last = found.at(-1);
    const { body } = await server.call<Item>("GET", `/api/v1/findings/${String(last?.["id"])}`);
    assert.deepEqual({ ...last, rulings: [] }, body);
  });
});

/** Before everything. */
const encode = () => Buffer.from(JSON.stringify(["follow", -1, ""])).toString("base64url");

describe("streams are refused", () => {
  const bad: [title: string, query: Record<string, string>, code: string][] = [
    ["without a topic", {}, "bad_request"],
    ["of an unknown topic", { topic: "nodes" }, "bad_request"],
    ["for a query that is none", { topic: "connections", where: "port:(" }, "bad_query"],
    ["for a filter of the other topic", { topic: "findings", verdict: "matched" }, "bad_request"],
    ["for a node that does not exist", { topic: "connections", node: "nobody" }, "bad_filter"],
    ["for a place that is none", { topic: "connections", last_event_id: "x" }, "bad_cursor"],
  ];
  for (const [title, query, code] of bad) {
    it(title, async () => {
      using client = await EventClient.open(server, query);
      assert.deepEqual([client.status, (await client.problem()).code], [400, code]);
    });
  }

  it("beyond 8 of one principal, until one is closed", async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => watch()));
    try {
      for (const client of clients) assert.equal((await client.next())?.event, "hello");
      using ninth = await watch();
      assert.deepEqual([ninth.status, (await ninth.problem()).code], [429, "too_many_streams"]);
      clients[0]?.close();
      const again = await server.until(
        async () => {
          using tenth = await watch();
          return tenth.status;
        },
        (status) => status === 200,
      );
      assert.equal(again, 200);
    } finally {
      for (const client of clients) client.close();
    }
  });
});

it("is on record from its opening to its end, with what it gave", async () => {
  const client = await watch({ where: `port:${port}` });
  await client.next();
  const [made] = await connect();
  await client.itemsUntil(isPort(made));
  client.close();
  const sql = `SELECT action, is_read, outcome, facts, operation FROM audit
    WHERE action = 'connections.tail' AND JSONExtractString(facts, 'query') LIKE '%port:${made}%'
    ORDER BY time, journal_index`;
  const rows = await server.until(
    async () =>
      (await server.call<{ rows: unknown[][] }>("POST", "/api/v1/sql", { sql })).body.rows,
    (found) => found.length === 2,
  );
  assert.equal(rows[0]?.[4], rows[1]?.[4]);
  const [opened, closed] = rows.map((row) => JSON.parse(String(row[3])) as Item);
  assert.deepEqual(opened, { query: `topic=connections&where=port:${made}`, state: "open" });
  const { state, rows: given, bytes, dropped, duration_ms: durationMs } = closed ?? {};
  assert.deepEqual([state, given, dropped], ["closed", 1, 0]);
  assert.ok(Number(bytes) > 100 && Number(durationMs) >= 0);
});

it("ends with the token that opened it", async () => {
  const ada = await Person.join(server, "ada", "operator");
  const token = await ada.token();
  using client = await EventClient.open({ url: server.url, token }, { topic: "connections" });
  assert.equal((await client.next())?.event, "hello");
  const { body } = await ada.call<{ items: { id: string }[] }>("GET", "/api/v1/tokens");
  const id = body.items[0]?.id ?? "";
  assert.equal((await ada.call("DELETE", `/api/v1/tokens/${id}`)).status, 200);
  assert.deepEqual(await client.itemsToTheEnd(), []);
  using again = await EventClient.open({ url: server.url, token }, { topic: "connections" });
  assert.equal(again.status, 401);
});

it("of connections is not for a viewer, and of findings is", async () => {
  const vic = await Person.join(server, "vic", "viewer");
  const token = await vic.token();
  using connections = await EventClient.open({ url: server.url, token }, { topic: "connections" });
  assert.deepEqual([connections.status, (await connections.problem()).code], [403, "forbidden"]);
  using findings = await EventClient.open({ url: server.url, token }, { topic: "findings" });
  assert.equal(findings.status, 200);
});

it("takes the permission of its topic, and no other", async () => {
  const oz = await Person.join(server, "oz", "operator");
  const token = await oz.token({ scopes: ["connections.read"] });
  using connections = await EventClient.open({ url: server.url, token }, { topic: "connections" });
  assert.equal(connections.status, 200);
  using findings = await EventClient.open({ url: server.url, token }, { topic: "findings" });
  assert.deepEqual([findings.status, (await findings.problem()).code], [403, "forbidden"]);
});
