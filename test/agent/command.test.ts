/** The agent's command line as a person meets it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const PROGRAM = join(import.meta.dirname, "../../bin/tallystick-agent.ts");
const state = join(mkdtempSync(join(tmpdir(), "tallystick-command-")), "state");

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `until`: what is on stdout when it is told to stop. */
async function run(words: readonly string[], env: object = {}, until?: string): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { env: { ...process.env, ...env } });
  const [out, err] = [text(child.stdout), text(child.stderr)];
  if (until !== undefined) {
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes(until)) child.kill("SIGTERM");
    });
  }
  const [code] = (await once(child, "exit")) as [number];
  return { code, out: await out, err: await err };
}

const to = (...words: string[]): string[] => ["run", "--state", state, ...words];

test("wrong usage exits 2 with one line", async () => {
  const { code, err } = await run(["run", "--server", "http://127.0.0.1:1"]);
  assert.equal(code, 2);
  assert.match(err, /^tallystick-agent: missing option, --state, .*\n$/);
});

test("trouble at the start exits 1, and says what to do", async () => {
  await check(to("--server", "http://127.0.0.1:1"), /not enrolled, .* --key\n$/);
  await check(
    to("--server", "http://logs.example"),
    /plain http to logs.example .*--allow-http\n$/,
  );
  await check(to("--server", "http://127.0.0.1:1", "--key", "tsk1.secret"), /not an enrolment key/);
  await check(["status", "--state", `${state}-none`], /no agent has run on this directory/);
});

test("a refusing node is ready, stays up, and stops when asked", async () => {
  const env = { TS_NO_LOGS_NO_SUPPORT: "true" };
  const ended = await run(to("--server", "http://127.0.0.1:1", "--json"), env, "ready");
  assert.equal(ended.code, 0);
  assert.deepEqual(JSON.parse(ended.out), { ready: true, node: "", name: "", optedOut: true });
  const status = await run(["status", "--state", state, "--json"]);
  const { state: said, running } = JSON.parse(status.out) as Record<string, unknown>;
  assert.deepEqual([said, running], ["stopped", false]);
});

async function check(words: string[], expected: RegExp): Promise<void> {
  const { code, err } = await run(words);
  assert.equal(code, 1);
  assert.match(err, expected);
}
