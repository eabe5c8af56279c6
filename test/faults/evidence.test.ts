/**
 * Evidence of every class of fault, exported by a whole server and checked by somebody who has the
 * file alone; and then with a letter changed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Check } from "../../src/evidence/checks/check.ts";
import { isSound, verifyEvidence } from "../../src/evidence/verify.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { runAlone } from "../serve/server-process.ts";
import { FAULT_CLASSES, runClasses } from "./classes.ts";
import type { FoundFinding } from "./world.ts";

const VERIFIER = "bin/tallystick-verify.ts";
/** Letters that are changed in each file, beside one in every line. */
const CHANGES = 100;

const files = new Map<string, { finding: FoundFinding; text: string }>();
const scratch = mkdtempSync(join(tmpdir(), "tallystick-evidence-"));

before(async () => {
  await runClasses(true, async (world, found) => {
    for (const finding of found) {
      const text = await world.api.text("GET", `/api/v1/findings/${finding.id}/evidence`);
      files.set(`${finding.kind} ${finding.node}`, { finding, text });
    }
  });
});
after(() => rmSync(scratch, { recursive: true }));

/** The first of a kind. */
function file(kind: string): { readonly finding: FoundFinding; readonly text: string } {
  const found = [...files.values()].find(({ finding }) => finding.kind === kind);
  assert.ok(found !== undefined, kind);
  return found;
}

/** What holds of each kind, beside what holds of every file. */
const DECIDED: Readonly<Record<string, readonly string[]>> = {
  "missing-half": ["half", "end and counters", "connection", "no entry", "watermark"],
  "counters-differ": ["half", "end and counters", "connection", "difference"],
  silent: ["last batch"],
  "lost-spool": ["admission"],
  "long-restart": ["admission"],
  "undeclared-hole": ["hole", "gap"],
  rollback: ["admission"],
  clone: ["admission"],
  "server-rollback": ["admission"],
  "opted-out": ["admission"],
  "contested-address": ["claim"],
  replayed: ["batch"],
  fork: ["fork"],
  forged: [],
  revoked_key_used: ["revocation"],
  unknown_node: [],
  accused: ["half", "end and counters", "connection", "no entry", "watermark", "witness"],
  "gap-abuse": [],
  "clock-step": [],
  "back-dated": ["entry", "claim"],
  "exceeds-interfaces": ["readings"],
};
/** Said of nodes, which a finding about strangers has none of. */
const OF_NODES = ["key", "batches", "chain"];
const OF_ALL = ["data part", "readable part", "server signatures", "finding", "receipts"];

function holding(checks: readonly Check[]): string[] {
  const held = checks.filter(({ outcome }) => outcome === "holds");
  return [...new Set(held.map(({ subject }) => subject.replace(/^.*: /, "")))].toSorted();
}

test("each kind of finding has evidence that holds, and decides what can be decided", () => {
  assert.deepEqual(
    new Set([...files.values()].map(({ finding }) => finding.kind)),
    new Set(FAULT_CLASSES.map(({ kind }) => kind)),
  );
  for (const { finding, text } of files.values()) {
    const checks = verifyEvidence(text);
    const nodes = finding.kind === "unknown_node" ? [] : OF_NODES;
    const expected = [...OF_ALL, ...nodes, ...(DECIDED[finding.kind] ?? ["unknown kind"])];
    assert.ok(isSound(checks), JSON.stringify(checks, undefined, 1));
    assert.deepEqual(holding(checks), expected.toSorted(), finding.kind);
  }
});

test("the readable part says what was found, both sides, and what to do", () => {
  for (const { finding, text } of files.values()) {
    const readable = text.slice(0, text.indexOf("\n=== "));
    const { causes, todo } = finding.evidence as { causes?: unknown; todo?: string };
    for (const part of [
      finding.id,
      finding.title,
      // Of declared losses, how often each was the cause.
      ...(Array.isArray(causes) ? (causes as string[]) : []),
      ...(todo === undefined ? [] : [todo]),
    ]) {
      assert.ok(readable.includes(part), `${finding.kind}: ${part}`);
    }
    assert.match(readable, finding.kind === "missing-half" ? /no entry/ : /Signed batches/);
  }
});

test("no letter can be changed, above or below the mark, without being noticed", () => {
  const random = new SeededRandom(3);
  for (const kind of ["missing-half", "counters-differ", "fork"]) {
    const { text } = file(kind);
    const places: number[] = [];
    for (let at = 0; at < text.length; at = text.indexOf("\n", at) + 1) {
      const end = text.indexOf("\n", at);
      places.push(random.integer(at, end), end);
      if (end < 0) break;
    }
    for (let more = 0; more < CHANGES; more++) places.push(random.integer(0, text.length - 1));
    for (const at of places.filter((one) => one >= 0)) {
      const other = random.pick(
        "A z 0 9 + / = - \n".split(" ").filter((letter) => letter !== text[at]),
      );
      const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
      const where = `${kind}, character ${at}: ${JSON.stringify(text[at])} → ${JSON.stringify(other)}`;
      assert.ok(!isSound(verifyEvidence(changed)), where);
    }
  }
});

test("a stranger without the server checks it by a program of its own", async () => {
  const { text } = file("missing-half");
  const [good, bad] = ["good", "bad"].map((name) => join(scratch, name));
  assert.ok(good !== undefined && bad !== undefined);
  writeFileSync(good, text);
  writeFileSync(bad, text.replace("initiator sent     1000000 B", "initiator sent     1000001 B"));
  const key = /server {6}[0-9a-f]{32}, key ([\w-]{43})/.exec(text)?.[1] ?? "";
  const cases: [words: string[], code: number, out: RegExp, err: RegExp][] = [
    [
      [good],
      0,
      /^holds {2}data part: .*\n[^]*Nothing contradicts this evidence: \d+ hold, 0 fail, 3 /,
      /^$/,
    ],
    [[good, "--server-key", key], 0, /^holds {2}server key: it is the one that was named$/m, /^$/],
    [
      [good, "--server-key", key.replace(/^./, "_")],
      1,
      /^FAILS {2}server key: /m,
      /another server/,
    ],
    [[good, "--server-key", "short"], 2, /^$/, /--server-key is no key, short/],
    [[good, "--json"], 0, /\n\{"sound":true,"holds":\d+,"fails":0,"open":3\}\n$/, /^$/],
    [
      [bad],
      1,
      /^FAILS {2}readable part: line \d+ is not what the signed data says$/m,
      /does not hold/,
    ],
    [[bad, "--json"], 1, /\n\{"sound":false,/, /does not hold/],
    [[join(scratch, "none")], 2, /^$/, /cannot read, .*none \(ENOENT\)/],
    [["/dev/zero"], 2, /^$/, /larger than 64 MiB/],
    [[process.execPath], 2, /^$/, /larger than 64 MiB|no evidence file/],
    [[], 2, /^$/, /missing argument, FILE/],
  ];
  for (const [words, code, out, err] of cases) {
    const ended = await runAlone(VERIFIER, words);
    assert.equal(ended.code, code, `${words.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stdout, out);
    assert.match(ended.stderr, err);
  }
});
