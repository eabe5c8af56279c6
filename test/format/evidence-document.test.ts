/** docs/evidence.md and the vector of an evidence file, against the code. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isSound, verifyEvidence } from "../../src/evidence/verify.ts";
import * as limits from "../../src/evidence/limits.ts";
import { ABSENCE_SLACK_MS } from "../../src/reconcile/limits.ts";
import { CONFIRMED_MS } from "../../src/reconcile/node/node-clock.ts";

const page = readFileSync(new URL("../../docs/evidence.md", import.meta.url), "utf8");

test("the table of bounds", () => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)];
  const found = Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]));
  assert.deepEqual(found, { ...limits });
});

test("an absence is proven from where the comparison would conclude it", () => {
  assert.equal(limits.REACH_MS_MIN, ABSENCE_SLACK_MS + 2 * CONFIRMED_MS);
});

describe("the vector", () => {
  const vectors = JSON.parse(
    readFileSync(new URL("../vectors/evidence.json", import.meta.url), "utf8"),
  ) as {
    serverKey: string;
    files: { name: string; sound: boolean; text: string; checks: unknown }[];
  };
  const serverKey = Buffer.from(vectors.serverKey, "base64url");

  for (const { name, sound, text, checks } of vectors.files) {
    test(name, () => {
      assert.deepEqual(verifyEvidence(text), checks);
      assert.equal(isSound(verifyEvidence(text, { serverKey })), sound);
      assert.equal(sound, name === "honest");
    });
  }

  test("the page shows the beginning of its data part", () => {
    const [, example = ""] = /```\n(finding [^]*?)```/.exec(page) ?? [];
    const { text = "" } = vectors.files[0] ?? {};
    const lines = example.trim().split("\n");
    assert.equal(lines.length, 8);
    // `…` stands for the rest of a line and what follows it.
    for (const line of lines) assert.ok(text.includes(`\n${line.replace("…", "")}`), line);
  });
});
