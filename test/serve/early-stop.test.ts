/** A stop while the store has not come, or has gone: in order, and soon. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { cleanEnv, type Ended, PROGRAM, ServerProcess } from "./server-process.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-early-"));
/** A request to a dead store, and the thread that makes one, end by themselves after 10 s. */
const STOP_MS_MAX = 8_000;
/** Until a server is where it is to be stopped, on a machine that does much besides. */
const WAIT_MS_MAX = 60_000;
const elsewhere: Server[] = [];
after(() => {
  for (const server of elsewhere) server.close().closeAllConnections();
  rmSync(scratch, { recursive: true, force: true });
});

async function storeThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  elsewhere.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ours`;
}

/** Starts a server, stops it when `when` resolves, and looks how it ended. */
async function stopped(
  dir: string,
  words: readonly string[],
  when: (stderr: () => string) => Promise<void>,
): Promise<Ended & { readonly tookMs: number }> {
  const args = [PROGRAM, "server", "--data", dir, "--listen", "127.0.0.1:0", ...words];
  const child = spawn(process.execPath, args, { env: cleanEnv({}) });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = once(child, "close");
  try {
    await when(() => stderr);
    const askedMs = performance.now();
    child.kill("SIGTERM");
    const [code] = (await Promise.race([closed, late(() => stderr)])) as [number | null];
    return { code, stdout, stderr, tookMs: performance.now() - askedMs };
  } finally {
    child.kill("SIGKILL");
  }
}

async function late(stderr: () => string): Promise<never> {
  await delay(WAIT_MS_MAX, undefined, { ref: false });
  throw new Error(`it does not end: ${stderr()}`);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!holds()) {
    assert.ok(performance.now() < endMs, `${what}: not within ${WAIT_MS_MAX} ms`);
    await delay(20);
  }
}

/** Its last entry is in the journal. */
async function saidWhy(dir: string): Promise<void> {
  await using server = await ServerProcess.start([], dir);
  await server.until(
    async () =>
      (await server.command("sql", "SELECT body FROM logs WHERE kind = 'stop'", "--json")).stdout,
    (stdout) => stdout === '{"body":"stop: SIGTERM"}\n',
  );
}

const starts: [title: string, words: () => Promise<string[]>][] = [
  ["the embedded store starts", () => Promise.resolve([])],
  ["a store elsewhere does not answer", async () => ["--store", await storeThat(() => undefined)]],
];
for (const [title, words] of starts) {
  it(`stops in order while ${title}`, async () => {
    const dir = mkdtempSync(join(scratch, "start-"));
    const ended = await stopped(dir, await words(), () =>
      until("it listens", () => existsSync(join(dir, "serving.json"))),
    );
    assert.deepEqual([ended.code, ended.stdout], [0, ""], ended.stderr);
    assert.ok(ended.tookMs < STOP_MS_MAX, `took ${ended.tookMs} ms`);
    assert.equal(existsSync(join(dir, "serving.json")), false);
    await saidWhy(dir);
  });
}

it("stops in order while it waits for a store that died", async () => {
  const dir = mkdtempSync(join(scratch, "died-"));
  const url = await storeThat(claimable());
  const ended = await stopped(dir, ["--store", url], (stderr) =>
    until("its store died", () => /failed to open the store, trying again/.test(stderr())),
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(ended.tookMs < STOP_MS_MAX, `took ${ended.tookMs} ms`);
  await saidWhy(dir);
});

/** Answers what a server asks before it begins, and then nobody. */
function claimable(): RequestListener {
  let owner = "";
  let isDead = false;
  return (request, response) => {
    if (isDead) {
      request.socket.destroy();
      return;
    }
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const made = /COMMENT '(.*)'/.exec(body)?.[1];
      isDead = owner !== "";
      owner = made ?? owner;
      const table = { name: "tallystick_store", comment: owner, isMark: 1 };
      response.end(owner === "" || made !== undefined ? "" : `${JSON.stringify(table)}\n`);
    });
  };
}
