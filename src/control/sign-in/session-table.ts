/** Sessions: rows in SQLite under the hash of what the browser keeps. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "../effect.ts";

export interface Session {
  /** Hex of 8 bytes; no secret. */
  readonly id: string;
  readonly secretHash: string;
  readonly userId: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
  readonly expiresAtMs: number;
  /** Where it began, canonical. */
  readonly address: string;
  /** What the program called itself. */
  readonly agent: string;
  /** More than a password was shown: a code, a passkey, or whatever the OpenID provider asks for. */
  readonly secondFactor: boolean;
}

export class SessionTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): Session | undefined {
    const row = this.#database.prepare("SELECT * FROM sessions WHERE id = ?").get(id);
    return row === undefined ? undefined : sessionOf(row);
  }

  bySecret(secretHash: string): Session | undefined {
    const row = this.#database
      .prepare("SELECT * FROM sessions WHERE secret_hash = ?")
      .get(secretHash);
    return row === undefined ? undefined : sessionOf(row);
  }

  /** Newest first; of everybody without `userId`. */
  list(userId?: string): Session[] {
    const of = userId ?? null;
    return this.#database
      .prepare(
        "SELECT * FROM sessions WHERE ?1 IS NULL OR user_id = ?1 ORDER BY created_at_ms DESC, id",
      )
      .all(of)
      .map(sessionOf);
  }

  insertion(session: Session): Effect {
    return {
      do: "insert",
      table: "sessions",
      row: {
        id: session.id,
        secret_hash: session.secretHash,
        user_id: session.userId,
        created_at_ms: session.createdAtMs,
        seen_at_ms: session.seenAtMs,
        expires_at_ms: session.expiresAtMs,
        address: session.address,
        agent: session.agent,
        second_factor: Number(session.secondFactor),
      },
    };
  }

  secondFactorGiven(id: string): Effect {
    return { do: "update", table: "sessions", key: { id }, set: { second_factor: 1 } };
  }

  deletion(id: string): Effect {
    return { do: "delete", table: "sessions", key: { id } };
  }

  deletionOf(userId: string): Effect {
    return { do: "delete", table: "sessions", key: { user_id: userId } };
  }

  /** No change of anything that somebody decided: it has no entry, and waits where the disk is full. */
  seen(id: string, atMs: number): void {
    const set = this.#database.prepare("UPDATE sessions SET seen_at_ms = ? WHERE id = ?");
    try {
      set.run(atMs, id);
    } catch {
      // Whoever makes room has to be let in first; the next request tries again.
    }
  }

  forgetDead(nowMs: number, seenBeforeMs: number): void {
    this.#database
      .prepare("DELETE FROM sessions WHERE expires_at_ms <= ? OR seen_at_ms <= ?")
      .run(nowMs, seenBeforeMs);
  }
}

function sessionOf(row: Record<string, SQLOutputValue>): Session {
  return {
    id: String(row["id"]),
    secretHash: String(row["secret_hash"]),
    userId: String(row["user_id"]),
    createdAtMs: Number(row["created_at_ms"]),
    seenAtMs: Number(row["seen_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    address: String(row["address"]),
    agent: String(row["agent"]),
    secondFactor: row["second_factor"] === 1,
  };
}
