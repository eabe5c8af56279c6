import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { loadAdminToken } from "./admin-token.ts";
import { ControlError } from "./control-error.ts";

const directory = mkdtempSync(join(tmpdir(), "token-"));
after(() => rmSync(directory, { recursive: true }));

it("makes a token once, for its owner alone", () => {
  const file = join(directory, "admin.token");
  assert.equal(loadAdminToken(file).created, true);
  const text = readFileSync(file, "utf8").trim();
  chmodSync(file, 0o644);
  const { token, created } = loadAdminToken(file);
  assert.equal(created, false);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(token.matches(text), true);
  assert.equal(token.matches(`${text} `), false);
  assert.equal(token.matches(""), false);
});

it("refuses a file that holds something else", () => {
  const file = join(directory, "empty.token");
  writeFileSync(file, "");
  assert.throws(
    () => loadAdminToken(file),
    (error) => error instanceof ControlError && error.code === "control_failed",
  );
});
