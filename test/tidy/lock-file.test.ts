import assert from "node:assert/strict";
import { test } from "node:test";
import { lockedAddresses, lockHoles } from "./lock-file.ts";
import { fileAt } from "./source-tree.ts";

const lock = fileAt("package-lock.json");

test("every optional package is locked, so that npm ci takes the file", () => {
  assert.deepEqual(lockHoles(lock), []);
});

test("the lock file names no host", () => {
  assert.deepEqual(lockedAddresses(lock), []);
});

test("a planted hole and a planted host are found", () => {
  const packages = {
    "node_modules/a": {
      optionalDependencies: { "@a/linux-x64": "1.0.0", "@a/win32-x64": "1.0.0" },
    },
    "node_modules/@a/linux-x64": { resolved: "https://example.com/a.tgz" },
  };
  const planted = { path: "package-lock.json", text: JSON.stringify({ packages }) };
  assert.deepEqual(lockHoles(planted), [
    "@a/win32-x64 is not locked: run node scripts/complete-lock.ts",
  ]);
  assert.deepEqual(lockedAddresses(planted), [
    "node_modules/@a/linux-x64 is locked to a registry's host",
  ]);
});
