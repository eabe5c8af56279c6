/** docs/formats.md against the code: tables, examples and the batch in hex. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type BatchHeader, encodeHeader, FLAG, HEADER_BYTES } from "../../src/format/batch.ts";
import { CONNECTION_STATES, GAP_CAUSES } from "../../src/format/entry.ts";
import { decodeLine } from "../../src/format/entry-line.ts";
import { privateKeyFromSeed } from "../../src/format/identity.ts";
import * as limits from "../../src/format/limits.ts";
import { signHead, signReceipt } from "../../src/format/receipt.ts";
import { INGEST_ERRORS } from "../../src/ingest/errors.ts";

const page = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");

/** The text from a heading to the next of its rank. */
function section(heading: string): string {
  const [, text = ""] = page.split(`\n${heading}\n`);
  return text.split(/\n## /)[0] ?? "";
}

/** Rows of tables as cells without backticks. */
function rows(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("| "));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

function blocks(language: string): string[] {
  const pattern = new RegExp("```" + language + "\\n([^]*?)```", "g");
  return [...page.matchAll(pattern)].map(([, body = ""]) => body);
}

interface FieldRow {
  readonly at: number;
  readonly length: number;
  readonly name: string;
}

function fieldRows(text: string): FieldRow[] {
  return rows(text)
    .filter(([at = ""]) => /^\d+$/.test(at))
    .map(([at, length, name = ""]) => ({ at: Number(at), length: Number(length), name }));
}

/** Every field of the table holds what was encoded under its name, and the fields fill the bytes. */
function checkLayout(
  fields: readonly FieldRow[],
  bytes: Buffer,
  values: Readonly<Record<string, unknown>>,
): void {
  let end = 0;
  for (const { at, length, name } of fields) {
    assert.equal(at, end, `${name} follows the field before it`);
    end = at + length;
    const value = values[name];
    const found = bytes.subarray(at, end);
    if (value instanceof Uint8Array) assert.deepEqual(found, Buffer.from(value), name);
    else if (typeof value === "number")
      assert.equal(BigInt(`0x${found.toString("hex")}`), BigInt(value), name);
    else assert.equal(name, "signature");
  }
  assert.equal(end, bytes.length);
}

const common = { version: 1, nodeId: Buffer.alloc(16, 1), epoch: 2, reserved: 0 };
const key = privateKeyFromSeed(Buffer.alloc(32));

test("the table of the header", () => {
  const header: BatchHeader & { version: number; type: number } = {
    ...common,
    type: 1,
    flags: 0x1234,
    keyId: Buffer.alloc(4, 3),
    entryCount: 4,
    batchNo: 5,
    seqFirst: 6,
    firstAtMs: 7,
    lastAtMs: 8,
    closedAtMs: 9,
    completeToMs: 10,
    bootAtMs: 11,
    payloadBytes: 12,
    rawBytes: 13,
    payloadHash: Buffer.alloc(32, 14),
    entriesRoot: Buffer.alloc(32, 15),
    prevHash: Buffer.alloc(32, 16),
    seenSize: 17,
    seenRoot: Buffer.alloc(32, 18),
  };
  const bytes = encodeHeader(header);
  assert.equal(bytes.length, HEADER_BYTES);
  checkLayout(fieldRows(section("## Batch")), bytes, { ...header });
});

test("the tables of receipt and head", () => {
  const [receiptTable = "", headTable = ""] =
    section("## Receipt and head").split("\nHead, 152 bytes");
  const head = Buffer.alloc(32, 3);
  const receipt = { ...common, batchNo: 4, head, index: 5, receivedMs: 6 };
  checkLayout(fieldRows(receiptTable), signReceipt(receipt, key), { ...receipt, type: 2 });
  const answer = { ...common, batches: 4, head, nextSeq: 5, nonce: Buffer.alloc(16, 6) };
  checkLayout(fieldRows(headTable), signHead(answer, key), { ...answer, type: 3 });
});

test("the table of flags", () => {
  const found = rows(section("## Batch")).filter(([name = ""]) => Object.hasOwn(FLAG, name));
  assert.deepEqual(Object.fromEntries(found.map(([name, bit]) => [name, Number(bit)])), FLAG);
});

test("the table of limits", () => {
  const found = rows(section("## Limits")).filter(([name = ""]) => /^[A-Z_]+$/.test(name));
  assert.deepEqual(Object.fromEntries(found.map(([name, value]) => [name, Number(value)])), {
    ...limits,
  });
});

test("every code that ingest answers with is in the table of answers, with its status", () => {
  const found = new Map<string, string>();
  for (const [status = "", codes = ""] of rows(section("## HTTP"))) {
    if (/^\d{3}/.test(status)) for (const code of codes.split(" ")) found.set(code, status);
  }
  assert.deepEqual([...found.keys()].sort(), Object.keys(INGEST_ERRORS).sort());
  for (const [code, { status }] of Object.entries(INGEST_ERRORS)) {
    assert.ok(found.get(code)?.includes(String(status)), `${code} ${found.get(code)}`);
  }
});

test("every state and every cause of a gap is explained", () => {
  for (const word of [...CONNECTION_STATES, ...GAP_CAUSES]) {
    assert.ok(section("## Entries").includes(`\`${word}\``), word);
  }
});

describe("examples", () => {
  const kinds = new Set<string>();
  for (const block of blocks("ndjson")) {
    let previousAtMs = 0;
    for (const [index, line] of block.trim().split("\n").entries()) {
      test(line.slice(0, 60), () => {
        const entry = decodeLine(line, { seq: 1_000 + index, previousAtMs });
        previousAtMs = entry.atMs;
        kinds.add(entry.kind);
      });
    }
  }
  test("there is one of every kind", () => assert.equal(kinds.size, 20));
});

test("the batch in hex is the one of the vectors", () => {
  const [block = ""] = blocks("hex");
  const hex = block.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
  const vectors = JSON.parse(
    readFileSync(new URL("../vectors/batches.json", import.meta.url), "utf8"),
  ) as { batches: { frame: string; chainHash: string }[] };
  const batch = vectors.batches[4];
  assert.equal(hex, batch?.frame);
  assert.ok(page.includes(batch?.chainHash ?? "missing"));
});

test("links within the page lead somewhere", () => {
  const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(" ", "-"),
  );
  for (const [, anchor = ""] of page.matchAll(/\]\(#([^)]+)\)/g)) {
    assert.ok(anchors.includes(anchor), anchor);
  }
});
