/**
 * The OpenID provider that vouches for people, as an owner configured it, with what was fetched from
 * it at that time: where it is spoken to, and the keys that it signs with.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter, Planned } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import type { Effect } from "../effect.ts";
import type { Shown } from "../property-changes.ts";
import type { Role } from "../../api/roles.ts";
import { UserTable } from "../user-table.ts";
import type { Who } from "../who.ts";
import { SessionTable } from "./session-table.ts";

export interface GroupRole {
  readonly group: string;
  readonly role: Role;
}

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** Claim of the ID token that has the groups. */
  readonly groupsClaim: string;
  readonly roles: readonly GroupRole[];
  /** Of the button. */
  readonly label: string;
}

/** What the provider says of itself, as it was fetched. */
export interface OidcProvider {
  /** As in its discovery document, as far as it is used. */
  readonly metadata: { readonly issuer: string } & Readonly<Record<string, unknown>>;
  /** Its public keys, as JWKs. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  readonly fetchedAtMs: number;
}

export interface StoredOidc extends OidcSettings {
  readonly provider: OidcProvider;
}

/** Without a secret the one before stays. */
export type OidcRequest = Omit<OidcSettings, "clientSecret"> &
  Partial<Pick<OidcSettings, "clientSecret">>;

export interface OidcRulesOptions {
  readonly writer: ChangeWriter;
  readonly ends: AccessEnds;
}

const TARGET = { type: "setting", id: "oidc", name: "OpenID sign-in" } as const;
const KEY = { only_row: 1 } as const;

export class OidcRules {
  readonly #database: DatabaseSync;
  readonly #users: UserTable;
  readonly #sessions: SessionTable;
  readonly #options: OidcRulesOptions;

  constructor(database: DatabaseSync, options: OidcRulesOptions) {
    this.#database = database;
    this.#users = new UserTable(database);
    this.#sessions = new SessionTable(database);
    this.#options = options;
  }

  get(): StoredOidc | undefined {
    const row = this.#database.prepare("SELECT * FROM oidc_settings").get();
    return row === undefined ? undefined : storedOf(row);
  }

  /** Throws `oidc_off`. */
  required(): StoredOidc {
    const stored = this.get();
    if (stored !== undefined) return stored;
    throw new ControlError("oidc_off", "no OpenID provider is configured");
  }

  /**
   * The settings that a request asks for. A secret is never sent to anybody but the client and
   * issuer that it was given for. Throws `oidc_secret_needed`.
   */
  complete(request: OidcRequest): OidcSettings {
    const { clientSecret, ...rest } = request;
    if (clientSecret !== undefined) return { ...rest, clientSecret };
    const before = this.get();
    if (before?.issuer === rest.issuer && before.clientId === rest.clientId) {
      return { ...rest, clientSecret: before.clientSecret };
    }
    throw new ControlError("oidc_secret_needed", "the secret of this client is not known here");
  }

  /** `provider` was fetched for it just now. Throws `oidc_secret_needed`, `control_busy`, `control_failed`. */
  set(request: OidcRequest, provider: OidcProvider, who: Who): Promise<StoredOidc> {
    const asked = { who, action: "setting.update", target: TARGET };
    return this.#options.writer.change(asked, () => {
      const before = this.get();
      const after = { ...this.complete(request), provider };
      const isOther = before !== undefined && before.issuer !== after.issuer;
      const ended = isOther ? this.#endedSessions() : NOBODY;
      return {
        parts: [
          {
            ...(before === undefined ? {} : { before: shown(before) }),
            after: shown(after),
            facts: { secret_replaced: before?.clientSecret !== after.clientSecret },
          },
        ],
        effects: [
          { do: "delete", table: "oidc_settings", key: KEY },
          { do: "insert", table: "oidc_settings", row: { ...KEY, ...rowOf(after) } },
          ...ended.effects,
        ],
        answer: () => {
          ended.tell();
          return after;
        },
      };
    });
  }

  /** What was fetched anew takes the place of what was known. Throws `oidc_off`, `control_busy`, `control_failed`. */
  refresh(provider: OidcProvider, who: Who): Promise<StoredOidc> {
    const asked = { who, action: "setting.refresh", target: TARGET };
    return this.#options.writer.change(asked, () => {
      const before = this.required();
      if (before.provider.metadata.issuer !== provider.metadata.issuer) {
        throw new ControlError("oidc_off", "another provider was configured meanwhile");
      }
      const after = { ...before, provider };
      const { provider: json, fetched_at_ms } = rowOf(after);
      const set = { provider: json, fetched_at_ms };
      return {
        parts: [{ before: shown(before), after: shown(after) }],
        effects: [{ do: "update", table: "oidc_settings", key: KEY, set }],
        answer: () => after,
      };
    });
  }

  /** Nobody signs in that way any more, and who did is out. Throws `oidc_off`, `control_busy`, `control_failed`. */
  delete(who: Who): Promise<void> {
    const asked = { who, action: "setting.delete", target: TARGET };
    return this.#options.writer.change(asked, (): Planned<void> => {
      const before = this.required();
      const ended = this.#endedSessions();
      return {
        parts: [{ before: shown(before) }],
        effects: [{ do: "delete", table: "oidc_settings", key: KEY }, ...ended.effects],
        answer: () => ended.tell(),
      };
    });
  }

  /** Of all for whom the provider vouched. */
  #endedSessions(): { readonly effects: readonly Effect[]; tell(): void } {
    const theirs = this.#users.list().filter(({ source }) => source === "oidc");
    return {
      effects: theirs.map(({ id }) => this.#sessions.deletionOf(id)),
      tell: () => {
        for (const { id } of theirs) this.#options.ends.tell({ user: id });
      },
    };
  }
}

const NOBODY = { effects: [], tell: () => undefined } as const;

function rowOf({ provider, ...settings }: StoredOidc) {
  const { metadata, keys, fetchedAtMs } = provider;
  return {
    issuer: settings.issuer,
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    scopes: JSON.stringify(settings.scopes),
    groups_claim: settings.groupsClaim,
    roles: JSON.stringify(settings.roles),
    label: settings.label,
    provider: JSON.stringify({ metadata, keys }),
    fetched_at_ms: fetchedAtMs,
  };
}

function storedOf(row: Record<string, SQLOutputValue>): StoredOidc {
  const fetched = JSON.parse(String(row["provider"])) as Pick<OidcProvider, "metadata" | "keys">;
  return {
    issuer: String(row["issuer"]),
    clientId: String(row["client_id"]),
    clientSecret: String(row["client_secret"]),
    scopes: JSON.parse(String(row["scopes"])) as string[],
    groupsClaim: String(row["groups_claim"]),
    roles: JSON.parse(String(row["roles"])) as GroupRole[],
    label: String(row["label"]),
    provider: { ...fetched, fetchedAtMs: Number(row["fetched_at_ms"]) },
  };
}

/** All but the secret. */
function shown(stored: StoredOidc): Shown {
  const { provider, issuer, clientId, scopes, groupsClaim, roles, label } = stored;
  return {
    issuer,
    client_id: clientId,
    scopes: scopes.join(" "),
    groups_claim: groupsClaim,
    roles: roles.map(({ group, role }) => `${group}: ${role}`),
    label,
    authorization_endpoint: provider.metadata["authorization_endpoint"],
    token_endpoint: provider.metadata["token_endpoint"],
    jwks_uri: provider.metadata["jwks_uri"],
    keys: keyNames(provider),
    fetched_at: new Date(provider.fetchedAtMs).toISOString(),
  };
}

/** What the provider calls its keys. */
export function keyNames({ keys }: OidcProvider): string[] {
  return keys.map(({ kid, kty }) => (typeof kid === "string" ? kid : String(kty)));
}
