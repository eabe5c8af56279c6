import assert from "node:assert/strict";
import { test } from "node:test";
import { runServerFuzz } from "./run-server-fuzz.ts";

test("1,500 mutated batches and requests on all routes: each answered, honest nodes undisturbed", async () => {
  const report = await runServerFuzz(1_500, 5);
  assert.deepEqual(report.failures, []);
  for (const answer of ["acked", "bad_signature", "api ok", "api unauthorized", "api sql_syntax"]) {
    assert.ok((report.answers[answer] ?? 0) > 0, `${answer} was reached`);
  }
  assert.ok(report.honestConnections > 0);
});
