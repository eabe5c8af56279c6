import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../format/entry.ts";
import { compressPayload, decodeEntries, encodeEntries } from "../../format/payload.ts";
import { type Body, canJoin, contentOf, decodeBody, encodeBody, join } from "./body.ts";

function log(atMs: number): Entry {
  return { kind: "log", atMs, severity: 9, body: `at ${atMs}`, attributes: {} };
}

function bodyOf(entries: readonly Entry[], seqFirst: number, flags = 0): Body {
  const raw = encodeEntries(entries, seqFirst);
  const times = entries.map(({ atMs }) => atMs);
  return {
    seqFirst,
    count: entries.length,
    firstAtMs: Math.min(...times),
    lastAtMs: Math.max(...times),
    endAtMs: times.at(-1) ?? 0,
    closedAtMs: 9000 + seqFirst,
    completeToMs: 8000 + seqFirst,
    bootAtMs: 1,
    rawBytes: Buffer.byteLength(raw),
    flags,
    payload: compressPayload(raw),
  };
}

test("a record gives its body back", () => {
  const body = bodyOf([log(1000), log(1500)], 7, 4);
  const back = decodeBody(Buffer.concat(encodeBody(body)));
  assert.deepEqual({ ...back, payload: Buffer.from(back.payload) }, body);
});

test("joined bodies decode to the same entries, whatever their clocks did", () => {
  const parts = [[log(5000), log(5100)], [log(4000)], [log(9_000_000_000_000), log(3)]];
  let seq = 40;
  const bodies = parts.map((entries) => {
    const body = bodyOf(entries, seq);
    seq += entries.length;
    return body;
  });
  const [first, ...rest] = bodies.map(contentOf);
  assert.ok(first !== undefined);
  const joined = rest.reduce(join, first);
  const expected = { seqFirst: 40, entryCount: 5 };
  assert.deepEqual(decodeEntries(joined.raw, expected), parts.flat());
  assert.equal(joined.rawBytes, joined.raw.length);
  assert.deepEqual([joined.firstAtMs, joined.lastAtMs], [3, 9_000_000_000_000]);
  assert.equal(joined.completeToMs, bodies.at(-1)?.completeToMs);
});

test("only neighbours without flags join", () => {
  const body = bodyOf([log(1)], 10);
  assert.ok(canJoin(body, bodyOf([log(2)], 11)));
  assert.ok(!canJoin(body, bodyOf([log(2)], 12)));
  assert.ok(!canJoin(body, bodyOf([log(2)], 11, 4)));
  assert.ok(!canJoin(bodyOf([log(1)], 10, 4), bodyOf([log(2)], 11)));
  assert.ok(!canJoin({ ...body, rawBytes: 2 ** 20 }, bodyOf([log(2)], 11)));
});
