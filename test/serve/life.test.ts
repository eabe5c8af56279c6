import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { storePidOf } from "../faults/store-pid.ts";
import { joined, send } from "./joined-node.ts";
import { type Problem, ServerProcess } from "./server-process.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-life-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

it("keeps its directory to itself", async () => {
  await using server = await ServerProcess.start();
  assert.equal(statSync(server.dir).mode & 0o777, 0o700);
  for (const name of readdirSync(server.dir)) {
    assert.equal(statSync(join(server.dir, name)).mode & 0o077, 0, name);
  }
});

it("stops by SIGTERM: exit 0, a last entry, nothing left, and starts again where it was", async () => {
  const dir = join(scratch, "stop");
  const first = await ServerProcess.start([], dir);
  const node = await joined(first, "a");
  await send(first, node, [node.logEntry()]);
  assert.deepEqual((await first.stop()).code, 0);
  assert.equal(existsSync(join(dir, "serving.json")), false);

  await using second = await ServerProcess.start([], dir);
  assert.equal((await send(second, node, [node.logEntry()])).status, 200);
  const sql = "SELECT body FROM logs WHERE kind = 'stop'";
  await second.until(
    async () => (await second.command("sql", sql, "--json")).stdout,
    (stdout) => stdout.includes("SIGTERM"),
  );
});

it("says in its first entry by how many liars the comparison goes", async () => {
  await using server = await ServerProcess.start(["--max-liars", "3"]);
  const sql =
    "SELECT JSONExtractInt(attributes, 'facts', 'maxLiars') AS f FROM logs WHERE kind = 'start'";
  await server.until(
    async () => (await server.command("sql", sql, "--json")).stdout,
    (stdout) => /"f":"?3"?\b/.test(stdout),
  );
});

it("goes on taking batches while the store is dead, and says so", async () => {
  await using server = await ServerProcess.start();
  const node = await joined(server, "a");
  // Stopped, not killed: a killed one is started again at once.
  const store = storePid(server.child.pid);
  process.kill(store, "SIGSTOP");
  try {
    for (let n = 0; n < 5; n++) {
      assert.equal((await send(server, node, [node.logEntry()])).status, 200);
    }
    const ready = await server.call("GET", "/readyz");
    assert.equal(ready.status, 200);
    const [asked, query] = await Promise.all([
      server.call<Problem>("GET", "/api/v1/connections"),
      server.call<Problem>("GET", "/api/v1/findings"),
    ]);
    for (const answer of [asked, query]) {
      assert.deepEqual([answer.status, answer.body.code], [503, "store_unavailable"]);
      assert.equal(answer.headers.get("retry-after"), "1");
    }
  } finally {
    process.kill(store, "SIGCONT");
  }
  await server.until(
    () => server.call("GET", "/api/v1/connections"),
    ({ status }) => status === 200,
  );
});

it("recovers the store by itself when it was killed", async () => {
  await using server = await ServerProcess.start();
  const node = await joined(server, "a");
  process.kill(storePid(server.child.pid), "SIGKILL");
  assert.equal((await send(server, node, [node.logEntry("after the crash")])).status, 200);
  await server.until(
    async () => (await server.command("sql", "SELECT body FROM logs", "--json")).stdout,
    (stdout) => stdout.includes("after the crash"),
  );
});

it("ends with the reason when the journal cannot be written", async (context) => {
  await using server = await ServerProcess.start();
  const node = await joined(server, "a");
  const { size } = statSync(join(server.dir, "journal", journalFile(server.dir)));
  try {
    execFileSync("prlimit", ["--pid", String(server.child.pid), `--fsize=${size + 300}`]);
  } catch {
    return context.skip("this machine has no prlimit");
  }
  const closed = once(server.child, "close");
  await send(server, node, [node.logEntry("x".repeat(500))]).catch(() => undefined);
  await closed;
  const { code, stderr } = await server.stop();
  assert.equal(code, 1);
  assert.match(stderr, /tallystick: the server cannot go on.*journal/);
});

function journalFile(dir: string): string {
  return readdirSync(join(dir, "journal")).findLast((name) => name.endsWith(".seg")) ?? "";
}

function storePid(serverPid: number | undefined): number {
  const pid = storePidOf(serverPid ?? 0);
  assert.ok(pid !== undefined, "the store runs as a child");
  return pid;
}
