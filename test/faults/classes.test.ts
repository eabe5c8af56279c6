import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_CLASSES, FINDINGS_EXPECTED, match, runClasses } from "./classes.ts";

test("each injected fault ends as its own finding with its evidence, and nothing else is found", async () => {
  const found = await runClasses(true);
  const matched = FAULT_CLASSES.map((each) => match(each, found));
  assert.deepEqual(
    matched.filter((one) => typeof one === "string"),
    [],
  );
  const own = new Set<unknown>(matched.flat());
  assert.equal(own.size, FINDINGS_EXPECTED);
  assert.deepEqual(
    found.filter((one) => !own.has(one)),
    [],
  );
});

test("the same run without faults has no finding", async () => {
  assert.deepEqual(await runClasses(false), []);
});
