/** In processes of their own, since a niceness that was given up does not come back. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { test } from "node:test";

const AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled";
const isGrouped =
  getPriority() === 0 &&
  existsSync("/proc/self/autogroup") &&
  existsSync(AUTOGROUP) &&
  readFileSync(AUTOGROUP, "utf8").trim() === "1";
const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { getPriority } from "node:os";
  import { yieldToHost } from ${JSON.stringify(new URL("yield-to-host.ts", import.meta.url).href)};
  const said = yieldToHost() ?? null;
  const group = / nice (-?\\d+)/.exec(readFileSync("/proc/self/autogroup", "latin1"))?.[1];
  console.log(JSON.stringify({ said, again: yieldToHost() ?? null, group, nice: getPriority() }));`;

/** `before`: programs that start it, such as setsid. */
function yielded(...before: readonly string[]): unknown {
  const node = [process.execPath, "--input-type=module", "-e", PROGRAM];
  const [program = "", ...words] = [...before, ...node];
  const { stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout);
}

const skip = isGrouped ? false : "the kernel does not group sessions, or this one is nice already";

test("the leader of a session sets the session's niceness, once", { skip }, () => {
  const leader = { said: "autogroup 5", again: "autogroup 5", group: "5", nice: 0 };
  assert.deepEqual(yielded("setsid", "--wait"), leader);
});

test("any other process sets its own, and what somebody else set stays", { skip }, () => {
  const other = yielded("setsid", "--wait", "sh", "-c", '"$@"; exit', "sh");
  assert.deepEqual(other, { said: "nice 5", again: null, group: "0", nice: 5 });
  const niced = yielded("setsid", "--wait", "sh", "-c", 'nice -n 7 "$@"; exit', "sh");
  assert.deepEqual(niced, { said: null, again: null, group: "0", nice: 7 });
});
