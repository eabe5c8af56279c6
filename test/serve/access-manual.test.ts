/** docs/access.md says what the code does: its table of permissions is the roles'. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import * as limits from "../../src/control/limits.ts";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN } from "../../src/api/limits.ts";
import { isPermission, mayRole, PERMISSIONS, ROLES } from "../../src/api/roles.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const manual = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");

it("has a row for each permission, and in it who has it", () => {
  const heads = /^\| permission \|(.*)\|$/m.exec(manual)?.[1] ?? "";
  const roles = heads.split("|").map((head) => head.trim());
  assert.deepEqual(roles, [...ROLES]);
  const all = [...manual.matchAll(/^\| `([a-z.]+)` \|(.*)\|$/gm)].map(
    ([, name = "", cells = ""]) => [name, cells.split("|").map((cell) => cell.trim())] as const,
  );
  const rows = all.filter(([, cells]) => cells.length === ROLES.length);
  assert.deepEqual(
    rows.map(([name]) => name),
    Object.keys(PERMISSIONS),
  );
  for (const [name, cells] of rows) {
    assert.ok(isPermission(name));
    const expected = ROLES.map((role) => (mayRole(role, name) ? "yes" : ""));
    assert.deepEqual(cells, expected, name);
  }
});

it("names the bounds that hold", () => {
  for (const said of [
    `${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters`,
    `ends after ${limits.SESSION_MS_MAX / HOUR_MS} hours, and after ${limits.SESSION_IDLE_MS_MAX / HOUR_MS} hours`,
    `A user has ${limits.SESSIONS_PER_USER_MAX} at most`,
    `good for ${limits.USER_LINK_MS / HOUR_MS} hours`,
    `for ${limits.OWNER_LINK_MS / 60_000} minutes`,
    `ends after ${limits.TOKEN_MS_DEFAULT / DAY_MS} days, ${limits.TOKEN_MS_MAX / DAY_MS} at most`,
  ]) {
    assert.ok(manual.includes(said), said);
  }
});
