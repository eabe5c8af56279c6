import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "./entry.ts";
import { encodeLine } from "./entry-line.ts";
import {
  ADDRESSES_MAX,
  BODY_CHARS_MAX,
  ENTRIES_PER_BATCH_MAX,
  LINE_BYTES_MAX,
  RAW_BYTES_MAX,
  ZSTD_WINDOW_LOG_MAX,
} from "./limits.ts";

test("a window of zstd is as large as the largest text, and no larger", () => {
  assert.equal(2 ** ZSTD_WINDOW_LOG_MAX, RAW_BYTES_MAX);
});

test("what the entry bounds allow fits into a line where it is ASCII", () => {
  const entries: readonly Entry[] = [
    { kind: "log", atMs: 0, severity: 9, body: "x".repeat(BODY_CHARS_MAX), attributes: {} },
    {
      kind: "addresses",
      atMs: 0,
      networks: {
        n: Array.from({ length: ADDRESSES_MAX }, () => "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
      },
    },
  ];
  for (const entry of entries) {
    assert.ok(encodeLine(entry, { seq: 0, previousAtMs: 0 }).length < LINE_BYTES_MAX - 4_096);
  }
});

test("a full batch of connection entries is a fraction of the text that a batch may hold", () => {
  const longest = `["account",-10,65535,1000000,"RSTO",3,1000000,1000000000,1000000,1000000000]\n`;
  assert.ok(longest.length * ENTRIES_PER_BATCH_MAX < RAW_BYTES_MAX / 3);
});
