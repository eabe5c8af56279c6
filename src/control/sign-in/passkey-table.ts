/** Passkeys: public keys of people's devices, rows in SQLite. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "../effect.ts";

export interface Passkey {
  /** Hex of 8 bytes: names it here. */
  readonly id: string;
  readonly userId: string;
  /** What its user calls it. */
  readonly name: string;
  /** What the device calls it, base64url. */
  readonly credentialId: string;
  /** COSE, base64url. */
  readonly publicKey: string;
  /** How often it has signed, as it said last; always 0 where several devices share it. */
  readonly counter: number;
  /** The server's name for which it counts. */
  readonly rpId: string;
  /** How the device can be reached: a hint for browsers. */
  readonly transports: readonly string[];
  /** Copied to other devices by its maker. */
  readonly isBackedUp: boolean;
  readonly createdAtMs: number;
  readonly usedAtMs?: number;
}

export class PasskeyTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): Passkey | undefined {
    const row = this.#database.prepare("SELECT * FROM passkeys WHERE id = ?").get(id);
    return row === undefined ? undefined : passkeyOf(row);
  }

  byCredential(credentialId: string): Passkey | undefined {
    const row = this.#database
      .prepare("SELECT * FROM passkeys WHERE credential_id = ?")
      .get(credentialId);
    return row === undefined ? undefined : passkeyOf(row);
  }

  /** Oldest first. */
  list(userId: string): Passkey[] {
    return this.#database
      .prepare("SELECT * FROM passkeys WHERE user_id = ? ORDER BY created_at_ms, id")
      .all(userId)
      .map(passkeyOf);
  }

  insertion(passkey: Passkey): Effect {
    return {
      do: "insert",
      table: "passkeys",
      row: {
        id: passkey.id,
        user_id: passkey.userId,
        name: passkey.name,
        credential_id: passkey.credentialId,
        public_key: passkey.publicKey,
        counter: passkey.counter,
        rp_id: passkey.rpId,
        transports: JSON.stringify(passkey.transports),
        backed_up: Number(passkey.isBackedUp),
        created_at_ms: passkey.createdAtMs,
      },
    };
  }

  nameIs(id: string, name: string): Effect {
    return { do: "update", table: "passkeys", key: { id }, set: { name } };
  }

  used(id: string, counter: number, atMs: number): Effect {
    return { do: "update", table: "passkeys", key: { id }, set: { counter, used_at_ms: atMs } };
  }

  deletion(id: string): Effect {
    return { do: "delete", table: "passkeys", key: { id } };
  }
}

function passkeyOf(row: Record<string, SQLOutputValue>): Passkey {
  const { used_at_ms: usedAtMs } = row;
  return {
    id: String(row["id"]),
    userId: String(row["user_id"]),
    name: String(row["name"]),
    credentialId: String(row["credential_id"]),
    publicKey: String(row["public_key"]),
    counter: Number(row["counter"]),
    rpId: String(row["rp_id"]),
    transports: JSON.parse(String(row["transports"])) as string[],
    isBackedUp: row["backed_up"] === 1,
    createdAtMs: Number(row["created_at_ms"]),
    ...(usedAtMs === null ? {} : { usedAtMs: Number(usedAtMs) }),
  };
}
