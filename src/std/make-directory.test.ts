import assert from "node:assert/strict";
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectory } from "./make-directory.ts";

test("makes what is missing, for the owner alone, and leaves what is there", () => {
  const root = mkdtempSync(join(tmpdir(), "tallystick-make-"));
  for (const round of ["new", "there"]) {
    makeDirectory(join(root, "a", "b"));
    for (const name of ["a", join("a", "b")]) {
      assert.equal(statSync(join(root, name)).mode & 0o7777, 0o700, `${name} ${round}`);
    }
  }
});

test("refuses where there can be none, and comes back to say so", () => {
  const root = mkdtempSync(join(tmpdir(), "tallystick-make-"));
  writeFileSync(join(root, "file"), "");
  assert.throws(() => makeDirectory(join(root, "file")), { code: "EEXIST" });
  assert.throws(() => makeDirectory(join(root, "file", "below")));
  if (process.platform !== "linux") return;
  assert.throws(() => makeDirectory("/proc/tallystick/state"), { code: "ENOENT" });
});
