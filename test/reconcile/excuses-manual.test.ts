import assert from "node:assert/strict";
import { test } from "node:test";
import { EXCUSES } from "../../src/reconcile/half/half-state.ts";
import { fileAt } from "../tidy/source-tree.ts";

test("docs/glossary.md names each excuse, and no other", () => {
  const line = fileAt("docs/glossary.md")
    .text.split("\n")
    .find((one) => one.startsWith("**excuse**"));
  const names = [...(line ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const excuses = EXCUSES.filter((name) => name !== "");
  assert.deepEqual(names.toSorted(), excuses.toSorted());
});
