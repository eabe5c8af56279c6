/** Enrolment keys. The secret itself is never stored: it is random enough that its plain hash is safe. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";

export interface StoredKey {
  /** base64url of 6 bytes. */
  readonly id: string;
  readonly secretHash: Uint8Array;
  readonly reusable: boolean;
  readonly createdAtMs: number;
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

  insert(key: Omit<StoredKey, "uses" | "revokedAtMs">): void {
    this.#database
      .prepare(
        `INSERT INTO enrolment_keys (id, secret_hash, reusable, created_at_ms, expires_at_ms, tags)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        key.id,
        key.secretHash,
        Number(key.reusable),
        key.createdAtMs,
        key.expiresAtMs,
        JSON.stringify(key.tags),
      );
  }

  /** Harmless for a key that is not there: the journal may know keys that a lost file took along. */
  spend(id: string): void {
    this.#database.prepare("UPDATE enrolment_keys SET uses = uses + 1 WHERE id = ?").run(id);
  }

  revoke(id: string, atMs: number): void {
    this.#database
      .prepare("UPDATE enrolment_keys SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL")
      .run(atMs, id);
  }

  forgetDead(beforeMs: number): void {
    this.#database
      .prepare(
        "DELETE FROM enrolment_keys WHERE max(expires_at_ms, coalesce(revoked_at_ms, 0)) < ?",
      )
      .run(beforeMs);
  }
}

export function keyState(key: StoredKey, nowMs: number): KeyState {
  if (key.revokedAtMs !== undefined) return "revoked";
  if (!key.reusable && key.uses > 0) return "spent";
  return key.expiresAtMs <= nowMs ? "expired" : "usable";
}

export function hashSecret(secret: Uint8Array): Buffer {
  return createHash("sha256").update(secret).digest();
}

export function secretFits(key: StoredKey, secret: Uint8Array): boolean {
  return timingSafeEqual(hashSecret(secret), key.secretHash);
}

function keyOf(row: Record<string, SQLOutputValue>): StoredKey {
  const revokedAtMs = row["revoked_at_ms"];
  return {
    id: String(row["id"]),
    secretHash: Buffer.from(row["secret_hash"] as Uint8Array),
    reusable: row["reusable"] === 1,
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    tags: JSON.parse(String(row["tags"])) as string[],
    uses: Number(row["uses"]),
    ...(revokedAtMs === null ? {} : { revokedAtMs: Number(revokedAtMs) }),
  };
}
