/** A server is copied as docs/operations.md says, and goes on elsewhere from the copy. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, it } from "node:test";
import { joined, send } from "./joined-node.ts";
import { ServerProcess } from "./server-process.ts";

const LEFT_OUT = new Set(["store", "derive", "heads", "serving.json"]);
const dir = mkdtempSync(join(tmpdir(), "tallystick-backup-"));
const copy = `${dir}-copy`;
after(() => {
  for (const each of [dir, copy]) rmSync(each, { recursive: true, force: true });
});

/** As `rsync --delete`: a log of SQLite's that is gone would be applied to a newer file. */
function copyAll(): void {
  const old = readdirSync(dirname(copy)).includes(basename(copy)) ? readdirSync(copy) : [];
  const gone = old.filter((name) => !existsSync(join(dir, name)));
  for (const name of gone) rmSync(join(copy, name), { recursive: true });
  cpSync(dir, copy, {
    recursive: true,
    filter: (from) => !LEFT_OUT.has(basename(from)),
    preserveTimestamps: true,
  });
}

interface Status {
  readonly store: { readonly lag_records: number };
}

it("goes on from a copy: nodes, keys, what was searched, and who may send", async () => {
  let server = await ServerProcess.start([], dir);
  const node = await joined(server, "web-1");
  const lines = async () => {
    const { body } = await server.call<{ rows: unknown[][] }>("POST", "/api/v1/sql", {
      sql: "SELECT node, body, toString(time) FROM logs WHERE kind = 'log' AND node = 'web-1' ORDER BY seq",
    });
    return body.rows;
  };
  const caughtUp = () =>
    server.until(
      () => server.call<Status>("GET", "/api/v1/status"),
      ({ body }) => body.store.lag_records <= 1,
    );
  for (let n = 0; n < 3; n++)
    assert.equal((await send(server, node, [node.logEntry()])).status, 200);
  copyAll();
  // What comes between the two copies.
  assert.equal((await send(server, node, [node.logEntry()])).status, 200);
  const made = await server.call<{ id: string }>("POST", "/api/v1/keys", { tags: ["late"] });
  await caughtUp();
  const before = await lines();
  assert.equal(before.length, 4);
  await server.stop();
  copyAll();
  assert.ok(!readdirSync(copy).some((name) => LEFT_OUT.has(name)));

  server = await ServerProcess.start([], copy);
  try {
    const nodes = await server.call<{ items: { name: string; id: string }[] }>(
      "GET",
      "/api/v1/nodes",
    );
    assert.deepEqual(
      nodes.body.items.map(({ name, id }) => [name, id]),
      [["web-1", node.id]],
    );
    const keys = await server.call<{ items: { id: string }[] }>("GET", "/api/v1/keys");
    assert.ok(keys.body.items.some(({ id }) => id === made.body.id));
    await server.until(lines, (rows) => rows.length === before.length);
    assert.deepEqual(await lines(), before);
    assert.equal((await send(server, node, [node.logEntry()])).status, 200);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
