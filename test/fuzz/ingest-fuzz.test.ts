import assert from "node:assert/strict";
import { test } from "node:test";
import { runIngestFuzz } from "./run-ingest-fuzz.ts";

test("2,000 mutated batches and requests: each answered, memory flat, the journal sound", async () => {
  const report = await runIngestFuzz(2_000, 7);
  assert.deepEqual(report.failures, []);
  assert.ok((report.answers["acked"] ?? 0) > 100);
  for (const code of [
    "bad_header",
    "bad_payload",
    "bad_entry",
    "bad_signature",
    "fork",
    "raw 408",
  ]) {
    assert.ok((report.answers[code] ?? 0) > 0, `${code} was reached`);
  }
});
