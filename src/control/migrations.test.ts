import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, it } from "node:test";
import { migrate } from "./database.ts";
import { KeyTable } from "./key-table.ts";
import { secretFits } from "./secret.ts";
import { MIGRATIONS } from "./migrations.ts";
import { NodeTable } from "./node-table.ts";

const secret = Buffer.alloc(24, 3);
const publicKey = Buffer.alloc(32, 7);

/** A file as the first schema left it. */
function first(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  migrate(database, MIGRATIONS.slice(0, 1));
  const insert = (table: string, row: Record<string, SQLInputValue>) => {
    const names = Object.keys(row);
    const places = names.map(() => "?").join(", ");
    const text = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${places})`;
    database.prepare(text).run(...Object.values(row));
  };
  insert("nodes", {
    id: "ab".repeat(16),
    name: "web-1",
    public_key: publicKey,
    state: "active",
    enrolled_at_ms: 1,
    enrolment_key: "k1",
    tags: '["web"]',
  });
  insert("enrolment_keys", {
    id: "k1",
    secret_hash: createHash("sha256").update(secret).digest(),
    reusable: 1,
    created_at_ms: 1,
    expires_at_ms: 2,
    tags: '["web"]',
    uses: 4,
  });
  database.exec("UPDATE applied SET next_index = 17");
  return database;
}

const shape = (database: DatabaseSync) =>
  database.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();

describe("a state file of an older server", () => {
  it("keeps what it holds through every later schema", () => {
    for (let version = 1; version <= MIGRATIONS.length; version++) {
      const database = first();
      migrate(database, MIGRATIONS.slice(0, version));
      migrate(database, MIGRATIONS);
      const node = new NodeTable(database).get("ab".repeat(16));
      assert.deepEqual(
        [node?.name, node?.state, node?.tags, node?.owner, node?.publicKeyBytes],
        ["web-1", "active", ["web"], "", publicKey],
      );
      const key = new KeyTable(database).get("k1");
      assert.ok(key !== undefined && secretFits(secret, key.secretHash));
      assert.deepEqual(
        [key.uses, key.reusable, key.needsApproval, key.tags],
        [4, true, false, ["web"]],
      );
      assert.equal(database.prepare("SELECT next_index FROM applied").get()?.["next_index"], 17);
      database.close();
    }
  });

  it("has the same tables in the end, however old it was", () => {
    const fresh = new DatabaseSync(":memory:");
    migrate(fresh, MIGRATIONS);
    const old = first();
    migrate(old, MIGRATIONS);
    assert.deepEqual(shape(old), shape(fresh));
  });

  it("is as it was where a step fails", () => {
    const database = first();
    const broken = [...MIGRATIONS.slice(0, 1), "CREATE TABLE half (x); SELECT nonsense;"];
    assert.throws(() => migrate(database, broken), /nonsense/);
    assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 1);
    assert.equal(
      database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get(),
      undefined,
    );
  });
});
