import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ensureSystem, kernelSkip, type SystemSeams } from "../scripts/system-requirements.ts";
import { withoutStartingServices } from "../scripts/system/apt.ts";
import { runProgram, type RunResult } from "../scripts/system/run.ts";
import { everySystemTool, withSystemFolders } from "../scripts/system/tools.ts";

/** A machine with the named programs; whatever runs there is noted, and answered by `answer`. */
function machine(
  programs: string[],
  isRoot: boolean,
  answer: (line: string) => Partial<RunResult> = () => ({}),
): { seams: SystemSeams; ran: string[] } {
  const present = new Set(programs);
  const ran: string[] = [];
  const run = (program: string, words: readonly string[]): RunResult => {
    const line = [program, ...words].join(" ");
    ran.push(line);
    if (line.includes(" install ")) for (const tool of everySystemTool) present.add(tool);
    return { code: 0, output: "", ...answer(line) };
  };
  const find = (name: string): string | undefined => (present.has(name) ? name : undefined);
  return { seams: { run, isRoot, find, say: () => undefined }, ran };
}

const complete = [...everySystemTool, "apt-get"];

test("a complete machine is left alone", () => {
  const { seams, ran } = machine(complete, false);
  const report = ensureSystem(everySystemTool, seams);
  assert.deepEqual(report.lines, []);
  assert.equal(kernelSkip(report), false);
  assert.deepEqual(ran, [
    "unshare --net --mount --user --map-root-user true",
    "unshare --net --mount --user --map-root-user conntrack -C",
  ]);
});

test("without root the missing programs, their purpose and the command are named", () => {
  const lacking = complete.filter((name) => name !== "conntrack" && name !== "ss");
  const { seams, ran } = machine(lacking, false);
  const report = ensureSystem(everySystemTool, seams);
  assert.deepEqual(report.missing, ["conntrack", "ss"]);
  assert.match(report.lines[0] ?? "", /^missing: conntrack, ss \(conntrack: reads .*\); run: sudo/);
  assert.match(report.lines[0] ?? "", / conntrack iproute2$/);
  assert.ok(!ran.some((line) => line.startsWith("apt-get")));
  assert.equal(kernelSkip(report), "not installed: conntrack iproute2");
});

test("a system without apt gets the packages' names", () => {
  const { seams } = machine(["unshare"], true);
  const report = ensureSystem(["conntrack"], seams);
  assert.match(report.lines[0] ?? "", /install them: on Debian the packages conntrack$/);
});

test("a kernel that refuses is quoted, with the remedy", () => {
  const noNamespaces = machine(complete, false, (line) =>
    line.startsWith("unshare") ? { code: 1, output: "unshare failed: EPERM" } : {},
  );
  const refused = kernelSkip(ensureSystem(everySystemTool, noNamespaces.seams));
  assert.match(String(refused), /^no network namespaces: unshare failed: EPERM; run it as root/);

  const noTracking = machine(complete, true, (line) =>
    line.endsWith("conntrack -C") ? { code: 1, output: "\nnot supported" } : {},
  );
  const untracked = kernelSkip(ensureSystem(everySystemTool, noTracking.seams));
  assert.match(String(untracked), /^no connection tracking: not supported; load it as root/);
});

test("services stay stopped during an install, and the machine's own policy comes back", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tallystick-policy-")), "policy-rc.d");
  const verdict = (): number | null => runProgram(file, ["ssh", "start"]).code;
  assert.equal(withoutStartingServices(runProgram, verdict, file), 101);
  assert.ok(!existsSync(file));

  const own = "#!/bin/sh\nexit 0\n";
  writeFileSync(file, own);
  chmodSync(file, 0o755);
  assert.equal(withoutStartingServices(runProgram, verdict, file), 101);
  assert.throws(() => withoutStartingServices(runProgram, failing, file), /apt failed/);
  assert.equal(readFileSync(file, "utf8"), own);
});

test("the system folders follow the caller's own PATH, each once", () => {
  assert.equal(withSystemFolders("/usr/bin:/sbin"), "/usr/bin:/sbin:/usr/sbin:/usr/local/sbin");
});

function failing(): never {
  throw new Error("apt failed");
}
