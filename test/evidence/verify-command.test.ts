/** `tallystick verify`: what it answers to what it is given, by its exit code, in words and in JSON. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { evidenceText } from "../../src/evidence/file.ts";
import { FILE_BYTES_MAX } from "../../src/evidence/limits.ts";
import { cleanEnv, PROGRAM, runInside } from "../serve/server-process.ts";
import { SimEvidence } from "../simulate/sim-evidence.ts";

const scratch = mkdtempSync(join(tmpdir(), "tallystick-verify-"));
after(() => rmSync(scratch, { recursive: true }));

const sim = new SimEvidence();
sim.enrol(sim.a);
sim.batch(sim.a);
sim.conclude({ finding: "silent", node: sim.a.id, evidence: { lastReceivedMs: sim.a.atMs } });
const honest = evidenceText(sim.data());

/** Signed by nobody who may, and rendered anew. */
function forged(): string {
  const other = new SimEvidence();
  other.enrol(other.a, other.b.publicKey);
  other.conclude({ finding: "silent", node: other.a.id, evidence: {} });
  return evidenceText(other.data());
}

const FILES: Readonly<Record<string, string | Buffer>> = {
  honest,
  forged: forged(),
  word: honest.replace("severity   high", "severity   low"),
  cut: honest.slice(0, -300),
  above: honest.slice(0, honest.indexOf("\n=== ")),
  below: honest.slice(honest.indexOf("\n=== ")),
  bytes: Buffer.concat([Buffer.from(honest), Buffer.from([0xff])]),
  other: "web-1\n",
  binary: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0]),
  empty: "",
  large: Buffer.alloc(FILE_BYTES_MAX + 1, "a"),
};
for (const [name, content] of Object.entries(FILES)) writeFileSync(join(scratch, name), content);
mkdirSync(join(scratch, "directory"));

const OWN = sim.server.publicKey.toString("base64url");
const FOREIGN = sim.b.publicKey.toString("base64url");

/** `code` is that of docs/errors.md; none where nothing is wrong. */
const cases: [words: string, exit: number, code: string | undefined, says: RegExp][] = [
  ["honest", 0, undefined, /^Nothing contradicts this evidence: \d+ hold, 0 fail, /m],
  [`honest --server-key ${OWN}`, 0, undefined, /^holds {2}server key: /m],
  [
    `honest --server-key ${FOREIGN}`,
    1,
    "other_server",
    /^This evidence is signed by another server than the one that was named: /m,
  ],
  [
    `word --server-key ${FOREIGN}`,
    1,
    "evidence_fails",
    /^This evidence is damaged or was changed/m,
  ],
  ["forged", 1, "evidence_fails", /^This evidence contradicts itself: /m],
  ["word", 1, "evidence_fails", /^This evidence is damaged or was changed: /m],
  ["cut", 1, "evidence_fails", /^This evidence is damaged or was changed: /m],
  ["above", 1, "evidence_fails", /^FAILS {2}form: the line before the signed data is not there$/m],
  ["below", 1, "evidence_fails", /^FAILS {2}readable part: /m],
  ["bytes", 1, "evidence_fails", /^FAILS {2}form: it is not UTF-8/m],
  ["other", 2, "no_evidence", /^tallystick: no evidence file, .*other, name what tallystick/],
  ["binary", 2, "no_evidence", /^tallystick: no evidence file, .*binary, /],
  ["empty", 2, "no_evidence", /^tallystick: there is nothing in it, .*empty, export it again /],
  ["large", 2, "no_evidence", /^tallystick: larger than 64 MiB, .*large, no evidence file is /],
  ["directory", 2, "evidence_unreadable", /^tallystick: cannot read, .*directory \(EISDIR\), /],
  [
    "none",
    2,
    "evidence_unreadable",
    /^tallystick: cannot read, .*none \(ENOENT\), name another file \(evidence_unreadable\)\n$/,
  ],
  ["honest --server-key x", 2, "wrong_usage", /^tallystick: --server-key is no key, x, /],
  ["honest other", 2, "wrong_usage", /^tallystick: unexpected argument, /],
  ["honest --key x", 2, "wrong_usage", /^tallystick: unknown option, --key, /],
];

const PLACES: ReadonlySet<string> = new Set([...Object.keys(FILES), "directory", "none"]);

/** The words with the places of this run in them. */
function placed(words: string): string[] {
  return words.split(" ").map((word) => (PLACES.has(word) ? join(scratch, word) : word));
}

for (const [words, exit, code, says] of cases) {
  describe(`verify ${words}`, () => {
    it(`ends with ${exit} and says ${says}`, async () => {
      const { code: ended, stdout, stderr } = await runInside(["verify", ...placed(words)]);
      assert.match(exit === 2 ? stderr : stdout, says);
      assert.equal(ended, exit, stderr);
      if (exit === 2) assert.equal(stdout, "");
      const reason = code === "wrong_usage" ? "" : ` \\(${code}\\)`;
      assert.match(stderr, code === undefined ? /^$/ : new RegExp(`^tallystick: .*${reason}\n$`));
    });

    it("says the same in JSON", async () => {
      const ended = await runInside(["verify", ...placed(words), "--json"]);
      assert.equal(ended.code, exit);
      const lines = ended.stdout.trimEnd().split("\n");
      const last = JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
      assert.equal(last["sound"], [true, false, null][exit]);
      assert.equal(last["code"], code);
      if (exit === 2) assert.ok(ended.stderr.includes(String(last["error"])), ended.stderr);
      else assert.ok(Number.isSafeInteger(last["fails"]));
    });
  });
}

describe("verify -", () => {
  const given: [what: string, input: string, exit: number, says: RegExp][] = [
    ["evidence", "honest", 0, /^Nothing contradicts this evidence: /m],
    [
      "evidence that was changed",
      "word",
      1,
      /^tallystick: .*, standard input, trust nothing in it/m,
    ],
    ["something else", "other", 2, /^tallystick: no evidence file, standard input, /],
    ["nothing", "empty", 2, /^tallystick: there is nothing in it, standard input, /],
  ];
  for (const [what, file, exit, says] of given) {
    it(`reads standard input: ${what}`, () => {
      const ended = spawnSync(process.execPath, [PROGRAM, "verify", "-"], {
        env: cleanEnv({}),
        input: readFileSync(join(scratch, file)),
        encoding: "utf8",
      });
      assert.match(`${ended.stdout}${ended.stderr}`, says);
      assert.equal(ended.status, exit);
    });
  }
});

it("its help says what the exit codes mean", async () => {
  const { stdout } = await runInside(["verify", "--help"]);
  assert.match(
    stdout,
    /^Exit codes:\n {2}0 {2}nothing contradicts .*\n {2}1 {2}a check fails.*\n {2}2 {2}nothing was checked: /m,
  );
});
