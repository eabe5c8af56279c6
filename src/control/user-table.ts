/** Users: rows in SQLite, asked for at every request, and what of a second factor may be used once. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { SECOND_FACTORS } from "../api/accounts.ts";
import type { UserSource } from "../api/users.ts";
import type { Effect } from "./effect.ts";
import { isRole, type Role } from "../api/roles.ts";

export interface User {
  /** Hex of 8 bytes, random or (OpenID) made of who they are; a name may be given to somebody else later. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Who vouches for them: this server, by a password of its own, or the OpenID provider. */
  readonly source: UserSource;
  /** Of the provider's: issuer and subject, by which alone they are recognised. */
  readonly subject?: string;
  /** PHC form; absent until the one-time link is used. */
  readonly passwordHash?: string;
  readonly totp?: Totp;
  /** How many they have. */
  readonly passkeys: number;
  readonly createdAtMs: number;
  /** Name of who made the user. */
  readonly createdBy: string;
  readonly disabledAtMs?: number;
}

export interface Totp {
  /** Base32, as authenticators take it. */
  readonly secret: string;
  /** The last step of 30 seconds whose code was used: a code counts once. */
  readonly usedStep: number;
}

const SELECT = `SELECT users.*,
  (SELECT count(*) FROM passkeys WHERE user_id = users.id) AS passkeys FROM users`;

export class UserTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(id: string): User | undefined {
    const row = this.#database.prepare(`${SELECT} WHERE id = ?`).get(id);
    return row === undefined ? undefined : userOf(row);
  }

  /** Without regard to case. */
  byName(name: string): User | undefined {
    const row = this.#database.prepare(`${SELECT} WHERE lower(name) = lower(?)`).get(name);
    return row === undefined ? undefined : userOf(row);
  }

  /** Of the provider. */
  bySubject(subject: string): User | undefined {
    const row = this.#database.prepare(`${SELECT} WHERE subject = ?`).get(subject);
    return row === undefined ? undefined : userOf(row);
  }

  /** By name. */
  list(): User[] {
    return this.#database.prepare(`${SELECT} ORDER BY lower(name)`).all().map(userOf);
  }

  get size(): number {
    return Number(this.#database.prepare("SELECT count(*) AS size FROM users").get()?.["size"]);
  }

  /** Those who can let others in, whatever becomes of the OpenID provider. */
  usableOwners(): User[] {
    return this.list().filter((user) => user.role === "owner" && maySignIn(user));
  }

  hasRecoveryCode(id: string, hash: string): boolean {
    const row = this.#database
      .prepare("SELECT 1 FROM recovery_codes WHERE user_id = ? AND code_hash = ?")
      .get(id, hash);
    return row !== undefined;
  }

  countRecoveryCodes(id: string): number {
    const row = this.#database
      .prepare("SELECT count(*) AS left_over FROM recovery_codes WHERE user_id = ?")
      .get(id);
    return Number(row?.["left_over"]);
  }

  insertion(user: User): Effect {
    return {
      do: "insert",
      table: "users",
      row: {
        id: user.id,
        name: user.name,
        role: user.role,
        source: user.source,
        subject: user.subject ?? null,
        password_hash: user.passwordHash ?? null,
        created_at_ms: user.createdAtMs,
        created_by: user.createdBy,
      },
    };
  }

  roleIs(id: string, role: Role): Effect {
    return { do: "update", table: "users", key: { id }, set: { role } };
  }

  disabledSince(id: string, atMs: number | null): Effect {
    return { do: "update", table: "users", key: { id }, set: { disabled_at_ms: atMs } };
  }

  passwordIs(id: string, hash: string): Effect {
    return { do: "update", table: "users", key: { id }, set: { password_hash: hash } };
  }

  totpIs(id: string, totp: Totp | undefined): Effect {
    const set = { totp_secret: totp?.secret ?? null, totp_used_step: totp?.usedStep ?? 0 };
    return { do: "update", table: "users", key: { id }, set };
  }

  /** All by which the user shows more than the password. */
  secondFactorsAreGone(id: string): Effect[] {
    return [
      this.totpIs(id, undefined),
      ...this.recoveryCodesAre(id, []),
      { do: "delete", table: "passkeys", key: { user_id: id } },
    ];
  }

  stepUsed(id: string, step: number): Effect {
    return { do: "update", table: "users", key: { id }, set: { totp_used_step: step } };
  }

  recoveryCodesAre(id: string, hashes: readonly string[]): Effect[] {
    return [
      { do: "delete", table: "recovery_codes", key: { user_id: id } },
      ...hashes.map((hash): Effect => {
        return { do: "insert", table: "recovery_codes", row: { user_id: id, code_hash: hash } };
      }),
    ];
  }

  recoveryCodeUsed(id: string, hash: string): Effect {
    return { do: "delete", table: "recovery_codes", key: { user_id: id, code_hash: hash } };
  }

  /** With all by which the user could be recognised, and the views that nobody else sees. */
  deletion(id: string): Effect[] {
    const own = ["sessions", "api_tokens", "signin_links", "recovery_codes", "passkeys"];
    return [
      ...own.map((table): Effect => ({ do: "delete", table, key: { user_id: id } })),
      { do: "delete", table: "views", key: { owner_id: id, shared: 0 } },
      { do: "delete", table: "users", key: { id } },
    ];
  }
}

/** What they give besides the password, where they use one; a passkey alone is both. */
export function secondFactorOf({
  totp,
  passkeys,
}: Pick<User, "totp" | "passkeys">): (typeof SECOND_FACTORS)[number] {
  if (totp !== undefined) return "totp";
  return passkeys > 0 ? "passkey" : "none";
}

/** Enabled, and not only invited. */
export function maySignIn({ disabledAtMs, passwordHash }: User): boolean {
  return disabledAtMs === undefined && passwordHash !== undefined;
}

function userOf(row: Record<string, SQLOutputValue>): User {
  const { password_hash: hash, totp_secret: secret, disabled_at_ms: disabledAtMs, subject } = row;
  const role = String(row["role"]);
  if (!isRole(role)) throw new Error(`a user has the role ${role}`);
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    role,
    source: row["source"] === "oidc" ? "oidc" : "local",
    ...(subject === null ? {} : { subject: String(subject) }),
    ...(hash === null ? {} : { passwordHash: String(hash) }),
    ...(secret === null
      ? {}
      : { totp: { secret: String(secret), usedStep: Number(row["totp_used_step"]) } }),
    passkeys: Number(row["passkeys"]),
    createdAtMs: Number(row["created_at_ms"]),
    createdBy: String(row["created_by"]),
    ...(disabledAtMs === null ? {} : { disabledAtMs: Number(disabledAtMs) }),
  };
}
