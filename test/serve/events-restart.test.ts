/** Live events while parts die: a stream outlives the store, and its place outlives the server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { storePidOf } from "../faults/store-pid.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { EventClient, type Item } from "./event-client.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { ServerProcess } from "./server-process.ts";

const dir = mkdtempSync(join(tmpdir(), "tallystick-events-"));
let server: ServerProcess;
let node: SimNode;
before(async () => {
  server = await ServerProcess.start([], dir);
  node = await joined(server, "node-a");
  assert.equal((await send(server, node, [addresses(Date.now(), "10.9.8.1")])).status, 200);
});
after(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function connect(port: number): Promise<void> {
  const half = open(Date.now() - 1_000, "initiator", tcp("10.9.8.1", port, "10.9.8.9"));
  assert.equal((await send(server, node, [half])).status, 200);
}

const watch = (query: Readonly<Record<string, string>> = {}) =>
  EventClient.open(server, { topic: "connections", ...query });
const isPort = (port: number) => (item: Item) => item["initiator_port"] === port;
const versions = (items: readonly Item[]) =>
  items.map((item) => `${String(item["initiator_port"])} ${String(item["updated_index"])}`);

it("stays open while the store dies, and gives each change once", async () => {
  using client = await watch();
  assert.equal((await client.next())?.event, "hello");
  await connect(31_001);
  const items = await client.itemsPatiently(isPort(31_001));
  for (const port of [31_002, 31_003]) {
    const dead = storePidOf(server.child.pid ?? 0) ?? 0;
    assert.ok(dead > 0);
    process.kill(dead, "SIGKILL");
    await connect(port);
    items.push(...(await client.itemsPatiently(isPort(port))));
  }
  assert.deepEqual(versions(items), [...new Set(versions(items))]);
  assert.deepEqual(
    [...new Set(items.map((item) => item["initiator_port"]))],
    [31_001, 31_002, 31_003],
  );
});

it("is resumed after the server was killed: what came in between comes, and nothing twice", async () => {
  using first = await watch();
  await first.next();
  await connect(32_001);
  const items = await first.itemsUntil(isPort(32_001));
  await connect(32_002);
  await server.stop("SIGKILL");
  // Perhaps the second is among them, and perhaps it is not.
  items.push(...(await first.itemsToTheEnd()));
  server = await ServerProcess.start([], dir);
  await connect(32_003);
  using second = await watch({ last_event_id: first.place });
  items.push(...(await second.itemsPatiently(isPort(32_003))));
  assert.deepEqual(versions(items), [...new Set(versions(items))]);
  // What was there before may change meanwhile, and comes too.
  const ports = new Set(items.map((item) => Number(item["initiator_port"])));
  assert.deepEqual(
    [32_001, 32_002, 32_003].filter((port) => !ports.has(port)),
    [],
  );
});
