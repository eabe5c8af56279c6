/** What becomes of an answer that nobody reads to its end, or that cannot be written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { evidenceText } from "../../src/evidence/file.ts";
import { PROGRAM, runUnread } from "../serve/server-process.ts";
import { SimEvidence } from "../simulate/sim-evidence.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-output-"));
const [good, bad] = [join(scratch, "good"), join(scratch, "bad")];

before(() => {
  const sim = new SimEvidence();
  sim.enrol(sim.a);
  sim.conclude({ finding: "silent", node: sim.a.id, evidence: {} });
  const honest = evidenceText(sim.data());
  writeFileSync(good, honest);
  writeFileSync(bad, honest.replace("severity   high", "severity   low"));
});
after(() => rmSync(scratch, { recursive: true }));

describe("a reader who closes early", () => {
  const cases: [what: string, words: string[], code: number, stderr: RegExp][] = [
    ["does not make bad evidence good", ["verify", bad], 1, /^tallystick: .* does not hold/],
    ["nor in JSON", ["verify", bad, "--json"], 1, /^tallystick: .* does not hold/],
    ["nor good evidence bad", ["verify", good], 0, /^$/],
    ["is no failure of other commands", ["--help"], 0, /^$/],
  ];
  for (const [what, words, code, stderr] of cases) {
    it(what, async () => {
      const ended = await runUnread(words, "closed");
      assert.match(ended.stderr, stderr);
      assert.equal(ended.code, code);
    });
  }
});

const CANNOT =
  /^tallystick: cannot write the answer, stdout \(ENOSPC\), make room or send it elsewhere \(output_failed\)$/m;

describe("an answer that cannot be written is told in one line", () => {
  const cases: [what: string, words: string[], lines: number][] = [
    ["evidence that holds", ["verify", good], 1],
    ["evidence that does not, beside the verdict", ["verify", bad], 2],
    ["the same in JSON", ["verify", bad, "--json"], 2],
    ["help", ["--help"], 1],
  ];
  for (const [what, words, lines] of cases) {
    it(what, async () => {
      const { code, stderr } = await runUnread(words, "full");
      assert.match(stderr, CANNOT);
      assert.equal(stderr.trimEnd().split("\n").length, lines, stderr);
      assert.equal(code, 1);
    });
  }
});

it("what cannot be told on stderr does not change the exit code", () => {
  const words = ["-c", 'exec "$0" "$@" 2>/dev/full', process.execPath, PROGRAM, "no-command"];
  assert.equal(spawnSync("sh", words).status, 2);
});
