/** Who follows a list outlives the server: it is waited for, and nothing that is there is left out. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, it } from "node:test";
import type { SimNode } from "../simulate/sim-node.ts";
import { addresses, joined, open, send, tcp } from "./joined-node.ts";
import { cleanEnv, PROGRAM, ServerProcess } from "./server-process.ts";

const dir = mkdtempSync(join(tmpdir(), "tallystick-follow-"));
let server: ServerProcess | undefined;
let child: ChildProcessByStdio<null, Readable, Readable> | undefined;
after(async () => {
  child?.kill();
  await server?.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function connect(node: SimNode, port: number): Promise<void> {
  assert.ok(server !== undefined);
  const atMs = Date.now() - 1_000;
  const entries = [
    addresses(atMs, "10.9.3.1"),
    open(atMs, "initiator", tcp("10.9.3.1", port, "10.9.3.9")),
  ];
  assert.equal((await send(server, node, entries)).status, 200);
}

it("says once that the server is away, and shows what came when it is back, at another port", async () => {
  server = await ServerProcess.start([], dir);
  const node = await joined(server, "node-a");
  const words = [PROGRAM, "connections", "-f", "--json", "--data", dir];
  const following = spawn(process.execPath, words, {
    env: cleanEnv({}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = following;
  let [out, err] = ["", ""];
  following.stdout.on("data", (data: Buffer) => (out += data.toString()));
  following.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const first = server;
  const shows = (port: number) =>
    first.until(
      async () => out,
      (text) => text.includes(`:${port},`),
    );
  await connect(node, 40_001);
  await shows(40_001);

  for (const [signal, port] of [
    ["SIGTERM", 40_002],
    ["SIGKILL", 40_003],
  ] as const) {
    err = "";
    await server.stop(signal);
    const away =
      /^tallystick: cannot reach the server, .* \(.*\), check that the server of --data .* runs; waiting until it answers\n$/;
    await first.until(
      async () => err,
      (text) => away.test(text),
    );
    server = await ServerProcess.start([], dir);
    await connect(node, port);
    await shows(port);
    // It answers before its store does.
    const back =
      /^tallystick: the server answers again\n(tallystick: the store does not answer; waiting until it does\ntallystick: the store answers again\n)?$/;
    assert.match(err.split("\n").slice(1).join("\n"), back);
  }
  assert.equal(following.exitCode, null);
});
