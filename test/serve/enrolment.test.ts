import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SimNode } from "../simulate/sim-node.ts";
import { enrol, joined, newKey, send } from "./joined-node.ts";
import { type Problem, ServerProcess } from "./server-process.ts";

describe("joining over HTTP", () => {
  let server: ServerProcess;
  before(async () => {
    server = await ServerProcess.start();
  });
  after(() => server[Symbol.asyncDispose]());

  it("lets one node in by a key, and the same node again, but no other", async () => {
    const key = await newKey(server, { tags: ["web", "eu"] });
    const node = new SimNode();
    const first = await enrol(server, node, key, "web-1");
    assert.equal(first.status, 200);
    assert.equal(first.body["node"], node.id);
    assert.deepEqual(await enrol(server, node, key, "web-1"), first);
    const other = await enrol(server, new SimNode(), key, "web-2");
    assert.deepEqual([other.status, other.body["code"]], [401, "bad_enrolment_key"]);
    const { body } = await server.call("GET", "/api/v1/nodes/web-1");
    assert.deepEqual([body["id"], body["tags"]], [node.id, ["web", "eu"]]);
  });

  it("lets many in by a reusable key, but no two of one name", async () => {
    const key = await newKey(server, { reusable: true });
    assert.equal((await enrol(server, new SimNode(), key, "many-1")).status, 200);
    assert.equal((await enrol(server, new SimNode(), key, "many-2")).status, 200);
    const taken = await enrol(server, new SimNode(), key, "MANY-1");
    assert.deepEqual([taken.status, taken.body["code"]], [409, "name_taken"]);
  });

  it("lets a node in by a key that needs approval when somebody has approved it", async () => {
    const key = await newKey(server, { needs_approval: true, tags: ["lab"] });
    const node = new SimNode();
    const early = await enrol(server, node, key, "lab-1");
    assert.deepEqual([early.status, early.body["code"]], [503, "approval_needed"]);
    const sent = new SimNode();
    const unknown = await send(server, sent, [sent.logEntry()]);
    assert.equal(unknown.body["code"], "unknown_node");
    const waiting = await server.call<{ items: { id: string; name: string; address: string }[] }>(
      "GET",
      "/api/v1/nodes/waiting",
    );
    const [{ id, name, address } = { id: "", name: "", address: "" }] = waiting.body.items;
    assert.deepEqual([id, name, address], [node.id, "lab-1", "127.0.0.1"]);
    const approved = await server.call("POST", "/api/v1/nodes/waiting/lab-1/approve");
    assert.deepEqual([approved.status, approved.body["tags"]], [200, ["lab"]]);
    assert.equal((await enrol(server, node, key, "lab-1")).status, 200);
    assert.equal((await send(server, node, [node.logEntry()])).status, 200);
  });

  it("refuses a key that expired, and one that was revoked", async () => {
    const short = await newKey(server, { ttl_ms: 1_000 });
    const long = await newKey(server);
    const list = () =>
      server.call<{ items: { id: string; state: string }[] }>("GET", "/api/v1/keys");
    const stateOf = async (key: string): Promise<string | undefined> => {
      const { body } = await list();
      return body.items.find(({ id }) => id === key.split(".")[1])?.state;
    };
    await server.call("DELETE", `/api/v1/keys/${long.split(".")[1]}`);
    assert.equal(await stateOf(long), "revoked");
    await server.until(
      () => stateOf(short),
      (state) => state === "expired",
    );
    for (const key of [short, long]) {
      const answer = await enrol(server, new SimNode(), key, "late");
      assert.deepEqual([answer.status, answer.body["code"]], [401, "bad_enrolment_key"]);
    }
  });

  it("refuses a revoked node's batches, but keeps its name for another", async () => {
    const node = await joined(server, "gone");
    assert.equal((await send(server, node, [node.logEntry()])).status, 200);
    assert.equal((await send(server, node, [node.logEntry()])).status, 200);
    const revoked = await server.call<{ state: string; revoked: { last_batch: number } }>(
      "POST",
      "/api/v1/nodes/gone/revoke",
    );
    assert.equal(revoked.body.state, "revoked");
    assert.equal(revoked.body.revoked.last_batch, 1);
    const answer = await send(server, node, [node.logEntry()]);
    assert.deepEqual([answer.status, answer.body["code"]], [403, "revoked_key"]);
    const again = await enrol(server, node, await newKey(server), "gone");
    assert.deepEqual([again.status, again.body["code"]], [403, "revoked_key"]);
    const twice = await server.call<Problem>("POST", `/api/v1/nodes/${node.id}/revoke`);
    assert.deepEqual([twice.status, twice.body.code], [409, "already_revoked"]);
    await joined(server, "gone");
  });

  it("fixes the last batch while others are under way", async () => {
    const node = await joined(server, "busy");
    const frames = Array.from({ length: 20 }, () => send(server, node, [node.logEntry()]));
    const [revoked, ...answers] = await Promise.all([
      server.call<{ revoked: { last_batch: number } }>("POST", "/api/v1/nodes/busy/revoke"),
      ...frames,
    ]);
    const accepted = answers.filter(({ status }) => status === 200).length;
    assert.equal(revoked.body.revoked.last_batch, Math.max(0, accepted - 1));
  });
});

it("knows its nodes again without its state file", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tallystick-rebuilt-"));
  try {
    const first = await ServerProcess.start([], dir);
    const kept = await joined(first, "kept");
    await joined(first, "gone");
    await first.call("POST", "/api/v1/nodes/gone/revoke");
    await first.stop("SIGKILL");
    const copy = `${dir}-copy`;
    // Without the store: its process outlives the server for a moment, and can be made again.
    const store = join(dir, "store");
    cpSync(dir, copy, { recursive: true, filter: (path) => path !== store });
    for (const file of ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"]) {
      rmSync(join(copy, file), { force: true });
    }
    await using second = await ServerProcess.start([], copy);
    const { body } = await second.call<{ items: { name: string; state: string }[] }>(
      "GET",
      "/api/v1/nodes",
    );
    assert.deepEqual(
      body.items.map(({ name, state }) => [name, state === "revoked"]),
      [
        ["gone", true],
        ["kept", false],
      ],
    );
    assert.equal((await send(second, kept, [kept.logEntry()])).status, 200);
    await second.stop();
    rmSync(copy, { recursive: true });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
