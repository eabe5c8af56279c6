import assert from "node:assert/strict";
import { test } from "node:test";
import type { Intent } from "./derive.ts";
import { decodeIntent, encodeIntent } from "./intent-file.ts";

const REWRITES = [
  { node: "00", epoch: 0, seq: 3, openedMs: 5, excused: { index: 1, seq: 2 } },
  { node: "01", epoch: 1, seq: 4, openedMs: 6, excused: undefined },
] as const;

const intent: Intent = {
  from: 7,
  to: 9,
  rereadFrom: 6,
  blocks: [
    { table: "log_rows", partition: "20270115", rows: 2, bytes: Buffer.from("\n{some} bytes") },
    { table: "batch_rows", partition: "20270115", rows: 1, bytes: Buffer.alloc(0) },
    { table: "node_rows", partition: "", rows: 1, bytes: Buffer.alloc(100_000, 7) },
  ],
  rewrites: REWRITES,
};

test("an intent is read back as it was written", async () => {
  const [first, { excused: _, ...second }] = REWRITES;
  const expected = { ...intent, rewrites: [first, second] };
  assert.deepEqual(await decodeIntent(await encodeIntent(intent)), expected);
});

test("what is no intent, or one for other tables, stands for none", async () => {
  const content = await encodeIntent(intent);
  const others: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('{"from":7,"to":9}'),
    Buffer.from('{"from":7,"to":9}\n'),
    content.subarray(0, -1),
    content.subarray(content.indexOf("\n")),
    Buffer.from(content.toString("latin1").replace(/"schema":\d+/, '"schema":0'), "latin1"),
    Buffer.from(content.toString("latin1").replace('"sizeBytes":0', '"sizeBytes":1'), "latin1"),
  ];
  for (const other of others) assert.equal(await decodeIntent(other), undefined);
});
