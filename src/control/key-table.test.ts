import assert from "node:assert/strict";
import { it } from "node:test";
import { openDatabase } from "./database.ts";
import { applyEffect } from "./effect.ts";
import { KeyTable } from "./key-table.ts";

const NOW_MS = 1_000_000;

it("forgets the oldest of many dead keys, and none that can be used", () => {
  const database = openDatabase(":memory:");
  const table = new KeyTable(database);
  const make = (id: string, createdAtMs: number, reusable: boolean, expiresAtMs: number) => {
    const common = { needsApproval: false, createdBy: "ada", tags: [], uses: 0 };
    const key = { id, secretHash: "00".repeat(32), reusable, createdAtMs, expiresAtMs, ...common };
    applyEffect(database, table.insertion(key));
  };
  make("usable", 1, false, 2 * NOW_MS);
  make("expired", 2, true, NOW_MS);
  make("spent", 3, false, 2 * NOW_MS);
  table.spend("spent");
  make("revoked", 4, true, 2 * NOW_MS);
  applyEffect(database, table.revocation("revoked", NOW_MS));
  make("reused", 5, true, 2 * NOW_MS);
  table.spend("reused");
  table.forgetManyDead(NOW_MS, 2);
  const left = table.list().map(({ id }) => id);
  assert.deepEqual(left.toSorted(), ["reused", "revoked", "spent", "usable"]);
  database.close();
});
