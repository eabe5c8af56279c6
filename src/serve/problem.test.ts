import assert from "node:assert/strict";
import { it } from "node:test";
import { ControlError } from "../control/control-error.ts";
import { StoreError } from "../store/store-error.ts";
import { PROBLEMS } from "./problem-rows.ts";
import { problemOf } from "./problem.ts";
import { ServeError } from "./serve-error.ts";

const answers: [title: string, error: unknown, status: number, code: string][] = [
  ["ours", new ServeError("unknown_host", "x"), 421, "unknown_host"],
  ["ours, of the start", new ServeError("listen_failed", "x"), 500, "internal"],
  ["control's", new ControlError("bad_tag", "x"), 400, "bad_tag"],
  ["control's, for ingest", new ControlError("revoked_key", "x"), 500, "internal"],
  ["a dead store", new StoreError("store_unavailable", "x"), 503, "store_unavailable"],
  ["a closed store", new StoreError("store_closed", "x"), 503, "store_unavailable"],
  ["a store's no", new StoreError("store_failed", "x"), 500, "store_failed"],
  ["Fastify's", { statusCode: 400, message: "x" }, 400, "bad_request"],
  [
    "a large body",
    { statusCode: 413, code: "FST_ERR_CTP_BODY_TOO_LARGE" },
    413,
    "payload_too_large",
  ],
  ["a bug", new TypeError("secret"), 500, "internal"],
  ["nothing", undefined, 500, "internal"],
];
for (const [title, error, status, code] of answers) {
  it(`${title} becomes ${status} ${code}`, () => {
    const problem = problemOf(error);
    assert.deepEqual([problem.status, problem.code], [status, code]);
    assert.doesNotMatch(JSON.stringify(problem), /secret/);
  });
}

it("every code has a title and says what to do", () => {
  for (const [code, row] of Object.entries(PROBLEMS)) {
    assert.ok(row.title.length > 8 && row.hint.length > 8 && row.status >= 400, code);
  }
});
