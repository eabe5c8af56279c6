/** A disk that a node has filled, and another program to its last byte: the administrator is never locked out, and nothing is lost. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { Entry } from "../../src/format/entry.ts";
import { FREE_CHECK_MS, RESERVE_BYTES } from "../../src/journal/limits.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { joined } from "./joined-node.ts";
import { ServerProcess } from "./server-process.ts";
import { SmallDisk } from "./small-disk.ts";

const MIB = 1024 * 1024;
/** What stays free for the store, the reserve, the engine's own files, and some to fill. */
const DISK_BYTES = 620 * MIB;
const DAY_MS = 86_400_000;
const BATCHES_MAX = 200;
const TRIES_MAX = 3;

interface Status {
  readonly disk: {
    readonly free_bytes: number;
    readonly reserved_bytes: number;
    readonly full: boolean;
  };
  readonly store: { readonly state: string; readonly lag_records: number };
}

const missing = SmallDisk.missing();
const skip = missing ?? false;

let disk: SmallDisk;
let server: ServerProcess;
let node: SimNode;
/** The first one that was refused. */
let refused: Buffer | undefined;

before(async () => {
  if (missing !== undefined) return;
  disk = await SmallDisk.mount(DISK_BYTES);
  server = await ServerProcess.start([], disk.dir, disk.place);
});
after(async () => {
  if (missing !== undefined) return;
  await server.stop();
  await disk[Symbol.asyncDispose]();
});

async function status(): Promise<Status> {
  return (await server.call<Status>("GET", "/api/v1/status")).body;
}

async function post(frame: Buffer): Promise<{ readonly status: number; readonly code: unknown }> {
  const response = await fetch(new URL("/ingest/v1/batches", server.url), {
    method: "POST",
    headers: { "content-type": "application/vnd.tallystick.batch" },
    body: new Uint8Array(frame),
  });
  return { status: response.status, code: ((await response.json()) as { code?: unknown }).code };
}

/** As an agent does: again and again, also when the store has caught up, which then needs no more room. */
async function patientPost(frame: Buffer): ReturnType<typeof post> {
  let answer = await post(frame);
  for (let tries = 0; answer.status !== 200 && tries < TRIES_MAX; tries++) {
    await server.until(status, ({ store }) => store.lag_records < 5);
    await new Promise((resolve) => setTimeout(resolve, FREE_CHECK_MS));
    answer = await post(frame);
  }
  return answer;
}

/** About 3 MB that do not get smaller, said to be of three days ago. */
function logs(): Entry[] {
  const atMs = Date.now() - 3 * DAY_MS;
  return Array.from({ length: 60 }, () => ({
    kind: "log",
    atMs,
    severity: 9,
    body: randomBytes(40_000).toString("base64"),
    attributes: {},
  }));
}

/** A change, a look at the audit that shows it, and the state of everything. */
async function administrate(): Promise<void> {
  const made = await server.call<{ id: string }>("POST", "/api/v1/keys", {});
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { id } = made.body;
  assert.equal((await server.call("DELETE", `/api/v1/keys/${id}`)).status, 200);
  const { items } = await server.until(
    async () => {
      const answer = await server.call<{ items: { action: string }[] }>(
        "GET",
        `/api/v1/audit?target=${id}`,
      );
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body;
    },
    (page) => page.items.length >= 2,
  );
  assert.deepEqual(
    items.map(({ action }) => action),
    ["enrolment_key.revoke", "enrolment_key.create"],
  );
  assert.equal((await server.call("GET", "/api/v1/status")).status, 200);
}

/** Takes what is left of the disk, as a program would that does not know of us. Returns what frees it. */
function fillUp(): () => void {
  const file = join(server.dir, "ballast");
  const descriptor = openSync(file, "w");
  const block = randomBytes(64 * 1024);
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(file);
}

it("takes its reserve while there is plenty", { skip }, async () => {
  const { disk: free } = await server.until(status, (now) => now.disk.reserved_bytes > 0);
  assert.equal(free.full, false);
  await server.until(status, (now) => now.disk.reserved_bytes === RESERVE_BYTES);
});

it("refuses a node that fills the disk, and the node may come again", { skip }, async () => {
  node = await joined(server, "filler");
  for (let sent = 0; refused === undefined; sent++) {
    assert.ok(sent < BATCHES_MAX, "the disk did not fill");
    node.atMs = Date.now();
    const { frame } = node.next({ entries: logs() });
    const answer = await patientPost(frame);
    if (answer.status === 200) continue;
    assert.deepEqual(answer, { status: 503, code: "journal_full" });
    refused = frame;
  }
  const now = await status();
  assert.equal(now.disk.full, true);
  assert.equal(now.disk.reserved_bytes, RESERVE_BYTES);
  const { stdout } = await server.command("status");
  assert.match(stdout, /disk +full, .* tallystick admin prune/);
});

it("lets the administrator work on the full disk", { skip }, administrate);

it(
  "lets the administrator work when not a byte is left, by giving back of its reserve",
  { skip },
  async () => {
    await server.until(status, ({ store }) => store.lag_records < 50);
    const free = fillUp();
    const made = await server.call<{ id: string }>("POST", "/api/v1/keys", {});
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal((await server.call("GET", "/api/v1/audit?reads=true")).status, 200);
    assert.equal((await server.call("DELETE", `/api/v1/keys/${made.body.id}`)).status, 200);
    const now = await status();
    assert.ok(now.disk.reserved_bytes < RESERVE_BYTES, String(now.disk.reserved_bytes));
    assert.ok(now.disk.reserved_bytes > 0);
    free();
  },
);

it("starts again on a disk without a byte, and lets the administrator work", { skip }, async () => {
  const free = fillUp();
  await server.stop("SIGKILL");
  server = await ServerProcess.start([], disk.dir, disk.place);
  const made = await server.call<{ id: string }>("POST", "/api/v1/keys", {});
  assert.equal(made.status, 201, JSON.stringify(made.body));
  free();
  await administrate();
});

it(
  "takes the refused batch when old days were pruned, and has its reserve again",
  { skip },
  async () => {
    const frame = refused ?? assert.fail("nothing was refused");
    assert.deepEqual(await patientPost(frame), { status: 503, code: "journal_full" });
    const { disk: unpruned } = await status();
    const pruned = await server.command("admin", "prune", "--before", "2d", "--json");
    assert.equal(pruned.code, 0, pruned.stderr);
    const { rows, bytes } = JSON.parse(pruned.stdout) as { rows: number; bytes: number };
    assert.ok(rows > 0 && bytes > 0);
    await server.until(status, ({ disk: now }) => now.free_bytes > unpruned.free_bytes + bytes / 2);
    await server.until(
      () => post(frame),
      (answer) => answer.status === 200,
    );
    const { items } = await server.until(
      async () =>
        (
          await server.call<{ items: { facts: Record<string, unknown> }[] }>(
            "GET",
            "/api/v1/audit?action=store.prune",
          )
        ).body,
      (page) => page.items.length > 0,
    );
    assert.deepEqual([items[0]?.facts["rows"], items[0]?.facts["bytes"]], [rows, bytes]);
    await server.until(status, ({ disk: now }) => now.reserved_bytes === RESERVE_BYTES);
  },
);
