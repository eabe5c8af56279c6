/** API tokens: rows in SQLite, with the hash of each one's secret. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "./effect.ts";
import type { Permission } from "../api/roles.ts";

export interface ApiToken {
  /** Hex of 8 bytes; stands in the token, and is no secret. */
  readonly id: string;
  /** What its maker calls it. */
  readonly name: string;
  readonly secretHash: string;
  readonly userId: string;
  /** Id of the token that made it, with which it is revoked; empty: a session did. */
  readonly madeBy: string;
  /** Absent: all that the user's role may. */
  readonly scopes?: readonly Permission[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs?: number;
  readonly revokedAtMs?: number;
}

export class TokenTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): ApiToken | undefined {
    const row = this.#database.prepare("SELECT * FROM api_tokens WHERE id = ?").get(id);
    return row === undefined ? undefined : tokenOf(row);
  }

  /** Newest first; of everybody without `userId`. */
  list(userId?: string): ApiToken[] {
    return this.#database
      .prepare(
        "SELECT * FROM api_tokens WHERE ?1 IS NULL OR user_id = ?1 ORDER BY created_at_ms DESC, id",
      )
      .all(userId ?? null)
      .map(tokenOf);
  }

  insertion(token: ApiToken): Effect {
    return {
      do: "insert",
      table: "api_tokens",
      row: {
        id: token.id,
        name: token.name,
        secret_hash: token.secretHash,
        user_id: token.userId,
        made_by: token.madeBy,
        scopes: token.scopes === undefined ? null : JSON.stringify(token.scopes),
        created_at_ms: token.createdAtMs,
        expires_at_ms: token.expiresAtMs,
      },
    };
  }

  revocation(id: string, atMs: number): Effect {
    return { do: "update", table: "api_tokens", key: { id }, set: { revoked_at_ms: atMs } };
  }

  /** No change of anything that somebody decided: it has no entry, and waits where the disk is full. */
  used(id: string, atMs: number): void {
    const set = this.#database.prepare("UPDATE api_tokens SET used_at_ms = ? WHERE id = ?");
    try {
      set.run(atMs, id);
    } catch {
      // Whoever makes room has to be let in first; the next request tries again.
    }
  }

  /** Of one user's dead ones, all but the newest `max`. */
  forgetManyDead(userId: string, nowMs: number, max: number): void {
    this.#database
      .prepare(
        `DELETE FROM api_tokens WHERE id IN (
           SELECT id FROM api_tokens WHERE user_id = ? AND (revoked_at_ms IS NOT NULL OR expires_at_ms <= ?)
           ORDER BY created_at_ms DESC, id LIMIT -1 OFFSET ?)`,
      )
      .run(userId, nowMs, max);
  }

  forgetDead(beforeMs: number): void {
    this.#database
      .prepare(
        "DELETE FROM api_tokens WHERE min(expires_at_ms, coalesce(revoked_at_ms, expires_at_ms)) < ?",
      )
      .run(beforeMs);
  }
}

function tokenOf(row: Record<string, SQLOutputValue>): ApiToken {
  const { scopes, used_at_ms: usedAtMs, revoked_at_ms: revokedAtMs } = row;
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    secretHash: String(row["secret_hash"]),
    userId: String(row["user_id"]),
    madeBy: String(row["made_by"]),
    ...(scopes === null ? {} : { scopes: JSON.parse(String(scopes)) as Permission[] }),
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    ...(usedAtMs === null ? {} : { usedAtMs: Number(usedAtMs) }),
    ...(revokedAtMs === null ? {} : { revokedAtMs: Number(revokedAtMs) }),
  };
}
