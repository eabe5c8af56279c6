/** Enrolment keys. The secret itself is never stored: it is random enough that its plain hash is safe. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "./effect.ts";

export interface StoredKey {
  /** base64url of 6 bytes. */
  readonly id: string;
  /** Hex. */
  readonly secretHash: string;
  readonly reusable: boolean;
  readonly needsApproval: boolean;
  readonly createdAtMs: number;
  /** Name of who made it. */
  readonly createdBy: string;
  readonly expiresAtMs: number;
  readonly tags: readonly string[];
  readonly uses: number;
  readonly revokedAtMs?: number;
}

export type KeyState = "usable" | "spent" | "expired" | "revoked";

export class KeyTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): StoredKey | undefined {
    const row = this.#database.prepare("SELECT * FROM enrolment_keys WHERE id = ?").get(id);
    return row === undefined ? undefined : keyOf(row);
  }

  /** Newest first. */
  list(): StoredKey[] {
    const rows = this.#database
      .prepare("SELECT * FROM enrolment_keys ORDER BY created_at_ms DESC, id")
      .all();
    return rows.map(keyOf);
  }

  countLive(nowMs: number): number {
    const row = this.#database
      .prepare(
        `SELECT count(*) AS live FROM enrolment_keys
         WHERE revoked_at_ms IS NULL AND expires_at_ms > ? AND (reusable = 1 OR uses = 0)`,
      )
      .get(nowMs);
    return Number(row?.["live"] ?? 0);
  }

  insertion(key: StoredKey): Effect {
    return {
      do: "insert",
      table: "enrolment_keys",
      row: {
        id: key.id,
        secret_hash: key.secretHash,
        reusable: Number(key.reusable),
        needs_approval: Number(key.needsApproval),
        created_at_ms: key.createdAtMs,
        created_by: key.createdBy,
        expires_at_ms: key.expiresAtMs,
        tags: JSON.stringify(key.tags),
      },
    };
  }

  /** Harmless for a key that is not there: the journal may know keys that a lost file took along. */
  spend(id: string): void {
    this.#database.prepare("UPDATE enrolment_keys SET uses = uses + 1 WHERE id = ?").run(id);
  }

  revocation(id: string, atMs: number): Effect {
    return {
      do: "update",
      table: "enrolment_keys",
      key: { id },
      set: { revoked_at_ms: atMs },
    };
  }

  /** Of the dead ones, all but the newest `max`. */
  forgetManyDead(nowMs: number, max: number): void {
    this.#database
      .prepare(
        `DELETE FROM enrolment_keys WHERE id IN (
           SELECT id FROM enrolment_keys
           WHERE revoked_at_ms IS NOT NULL OR expires_at_ms <= ? OR (reusable = 0 AND uses > 0)
           ORDER BY created_at_ms DESC, id LIMIT -1 OFFSET ?)`,
      )
      .run(nowMs, max);
  }

  forgetDead(beforeMs: number): void {
    this.#database
      .prepare(
        "DELETE FROM enrolment_keys WHERE min(expires_at_ms, coalesce(revoked_at_ms, expires_at_ms)) < ?",
      )
      .run(beforeMs);
  }
}

export function keyState(key: StoredKey, nowMs: number): KeyState {
  if (key.revokedAtMs !== undefined) return "revoked";
  if (!key.reusable && key.uses > 0) return "spent";
  return key.expiresAtMs <= nowMs ? "expired" : "usable";
}

function keyOf(row: Record<string, SQLOutputValue>): StoredKey {
  const revokedAtMs = row["revoked_at_ms"];
  return {
    id: String(row["id"]),
    secretHash: String(row["secret_hash"]),
    reusable: row["reusable"] === 1,
    needsApproval: row["needs_approval"] === 1,
    createdAtMs: Number(row["created_at_ms"]),
    createdBy: String(row["created_by"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    tags: JSON.parse(String(row["tags"])) as string[],
    uses: Number(row["uses"]),
    ...(revokedAtMs === null ? {} : { revokedAtMs: Number(revokedAtMs) }),
  };
}
