/** The agent's one file on a Node that lacks what it needs: one line, never a stack trace. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const bundle = join(mkdtempSync(join(tmpdir(), "tallystick-bundle-")), "tallystick-agent.mjs");
execFileSync(process.execPath, [join(ROOT, "scripts/build-agent.ts"), bundle], { cwd: ROOT });

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(node: string, ...words: string[]): Ended {
  return spawnSync(node, words, { encoding: "utf8" });
}

/** Runs before the program and makes it believe in another version. */
function pretend(version: string): string {
  const code = `Object.defineProperty(process.versions, "node", { value: "${version}" })`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

function refuses({ status, stdout, stderr }: Ended, program: string, version: string): void {
  const said = `${program}: needs Node ≥ 24.12, this is v${version}, start it with a newer one\n`;
  assert.deepEqual([status, stdout, stderr], [1, "", said]);
}

test("both programs and the one file name the version that they need", () => {
  const programs = [
    [bundle, "tallystick-agent"],
    [join(ROOT, "bin/tallystick-agent.ts"), "tallystick-agent"],
    [join(ROOT, "bin/tallystick.ts"), "tallystick"],
  ] as const;
  for (const [file, program] of programs) {
    for (const version of ["22.18.0", "24.11.1"]) {
      refuses(run(process.execPath, pretend(version), file, "--version"), program, version);
    }
  }
  for (const version of ["24.12.0", "25.0.0"]) {
    const { status } = run(process.execPath, pretend(version), bundle, "--version");
    assert.equal(status, 0, version);
  }
});

const old = ["/usr/bin/node", "/usr/local/bin/node"]
  .map((node) => ({ node, version: run(node, "--version").stdout?.trim().slice(1) ?? "" }))
  .find(({ version }) => /^\d+\./.test(version) && Number.parseInt(version) < 24);

test("a Node that is old says so", { skip: old === undefined && "no old Node here" }, () => {
  if (old !== undefined) refuses(run(old.node, bundle, "run"), "tallystick-agent", old.version);
});
