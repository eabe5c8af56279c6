/**
 * API tokens `tst1.<id>.<secret>`: what programs of a user show. Never more than the user may at the
 * time of the request, never longer than the user may sign in, nor than the token that made it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Target } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import type { AccessEnds } from "./access-ends.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import {
  DEAD_TOKENS_KEPT_MAX,
  DEAD_TOKENS_KEPT_MS,
  SEEN_WRITE_MS,
  TOKEN_MS_DEFAULT,
  TOKEN_MS_MAX,
  TOKEN_MS_MIN,
  TOKENS_PER_USER_MAX,
} from "./limits.ts";
import { TOKEN_NAME_CHARS_MAX } from "../api/limits.ts";
import type { Shown } from "./property-changes.ts";
import { isReading, mayRole, type Permission, permissionsOf } from "../api/roles.ts";
import { newId, newSecret, secretFits, secretHash } from "./secret.ts";
import { type ApiToken, TokenTable } from "./token-table.ts";
import { checkTokenName } from "./user-name.ts";
import { type User, UserTable } from "./user-table.ts";
import type { Who } from "./who.ts";

export interface TokenRequest {
  readonly name: string;
  /** Default: all that the user's role may. */
  readonly scopes?: readonly Permission[];
  /** Default: in 90 days. */
  readonly expiresAtMs?: number;
}

/** Who makes a token: a user, by a session or by another token. */
export interface TokenMaker {
  readonly userId: string;
  readonly who: Who;
  readonly token?: ApiToken;
}

export interface ApiTokensOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly ends: AccessEnds;
}

export type TokenState = "usable" | "expired" | "revoked";

const FORM = /^tst1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/;

export class ApiTokens {
  readonly #table: TokenTable;
  readonly #users: UserTable;
  readonly #options: ApiTokensOptions;

  constructor(database: DatabaseSync, options: ApiTokensOptions) {
    this.#table = new TokenTable(database);
    this.#users = new UserTable(database);
    this.#options = options;
  }

  /** Newest first; of everybody without `userId`. */
  list(userId?: string): ApiToken[] {
    return this.#table.list(userId);
  }

  /** Whose request carries this text; the token counts as used. Undefined: nobody's any more. */
  use(text: string): { readonly token: ApiToken; readonly user: User } | undefined {
    const [, id = "", secret = ""] = FORM.exec(text) ?? [];
    const token = this.#table.get(id);
    if (token === undefined || !secretFits(secret, token.secretHash)) return undefined;
    const user = this.#userOf(token);
    if (user === undefined) return undefined;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - (token.usedAtMs ?? 0) >= SEEN_WRITE_MS) this.#table.used(id, nowMs);
    return { token, user };
  }

  isAlive(id: string): boolean {
    const token = this.#table.get(id);
    return token !== undefined && this.#userOf(token) !== undefined;
  }

  /** With its text, shown once. Throws `bad_name`, `bad_scope`, `bad_ttl`, `too_many_tokens`, `unknown_user`, `control_busy`, `control_failed`. */
  create(
    request: TokenRequest,
    maker: TokenMaker,
  ): Promise<{ readonly token: ApiToken; readonly text: string }> {
    const id = newId();
    const target = targetOf({ id, name: request.name.slice(0, TOKEN_NAME_CHARS_MAX) });
    const asked = { who: maker.who, action: "token.create", target };
    return this.#options.writer.change(asked, () => {
      const secret = newSecret();
      const token = this.#checked(request, maker, { id, secretHash: secretHash(secret) });
      return {
        parts: [{ after: shown(token) }],
        effects: [this.#table.insertion(token)],
        apply: () => this.#forgetDead(maker.userId),
        answer: () => ({ token, text: `tst1.${id}.${secret}` }),
      };
    });
  }

  /** With those that it made. Throws `unknown_token`, also for one of which `mayRevoke` says no. Revoking again changes nothing. */
  revoke(id: string, who: Who, mayRevoke: (token: ApiToken) => boolean): Promise<ApiToken> {
    const { writer, clock, ends } = this.#options;
    const target = targetOf(this.#table.get(id) ?? { id: id.slice(0, 64), name: "" });
    return writer.change({ who, action: "token.revoke", target }, () => {
      const token = this.#table.get(id);
      if (token === undefined || !mayRevoke(token)) {
        throw new ControlError("unknown_token", `no token of yours has the id ${id.slice(0, 64)}`);
      }
      const nowMs = clock.nowMs();
      const all = this.#madeFrom(token).filter(({ revokedAtMs }) => revokedAtMs === undefined);
      if (all.length === 0) return { unchanged: token };
      return {
        parts: all.map((each) => ({
          target: targetOf(each),
          before: shown(each),
          after: shown({ ...each, revokedAtMs: nowMs }),
        })),
        effects: all.map((each) => this.#table.revocation(each.id, nowMs)),
        answer: () => {
          for (const each of all) ends.tell({ token: each.id });
          return this.#table.get(id) ?? token;
        },
      };
    });
  }

  stateOf({ revokedAtMs, expiresAtMs }: ApiToken): TokenState {
    if (revokedAtMs !== undefined) return "revoked";
    return expiresAtMs <= this.#options.clock.nowMs() ? "expired" : "usable";
  }

  /** A token, those that it made, and so on. */
  #madeFrom(token: ApiToken): ApiToken[] {
    const own = this.#table.list(token.userId);
    const all = [token];
    for (const each of all) all.push(...own.filter(({ madeBy }) => madeBy === each.id));
    return all;
  }

  #userOf(token: ApiToken): User | undefined {
    if (this.stateOf(token) !== "usable") return undefined;
    const user = this.#users.get(token.userId);
    return user?.disabledAtMs === undefined ? user : undefined;
  }

  /** When one is made, so that there are never more dead ones of a user than that and the usable ones. */
  #forgetDead(userId: string): void {
    const nowMs = this.#options.clock.nowMs();
    this.#table.forgetDead(nowMs - DEAD_TOKENS_KEPT_MS);
    this.#table.forgetManyDead(userId, nowMs, DEAD_TOKENS_KEPT_MAX);
  }

  #checked(
    { name, scopes, expiresAtMs }: TokenRequest,
    { userId, token: maker }: TokenMaker,
    made: Pick<ApiToken, "id" | "secretHash">,
  ): ApiToken {
    checkTokenName(name);
    const user = this.#users.get(userId);
    if (user === undefined || user.disabledAtMs !== undefined) {
      throw new ControlError("unknown_user", "who makes the token may not sign in any more");
    }
    const usable = this.#table.list(userId).filter((each) => this.stateOf(each) === "usable");
    if (usable.length >= TOKENS_PER_USER_MAX) {
      throw new ControlError("too_many_tokens", `${user.name} has ${TOKENS_PER_USER_MAX} tokens`);
    }
    const createdAtMs = this.#options.clock.nowMs();
    const given = scopesFor(user, scopes, maker);
    return {
      ...made,
      name,
      userId,
      madeBy: maker?.id ?? "",
      ...(given === undefined ? {} : { scopes: given }),
      createdAtMs,
      expiresAtMs: endFor(createdAtMs, expiresAtMs, maker),
    };
  }
}

/** What a token may now: its scopes, as far as the user's role goes, and for an auditor what reads. */
export function tokenPermissions({ scopes }: ApiToken, { role }: User): Permission[] {
  return permissionsOf(role).filter(
    (each) =>
      (scopes === undefined || scopes.includes(each)) && (role !== "auditor" || isReading(each)),
  );
}

function scopesFor(
  user: User,
  asked: readonly Permission[] | undefined,
  maker: ApiToken | undefined,
): readonly Permission[] | undefined {
  const may = maker === undefined ? permissionsOf(user.role) : tokenPermissions(maker, user);
  const allowed = user.role === "auditor" ? may.filter(isReading) : may;
  if (asked === undefined) {
    const isAll = user.role !== "auditor" && maker?.scopes === undefined;
    return isAll ? undefined : allowed;
  }
  const beyond = asked.find((each) => !allowed.includes(each));
  if (beyond === undefined) return [...new Set(asked)];
  const why = mayRole(user.role, beyond)
    ? "a token made here may not have it"
    : "your role may not";
  throw new ControlError("bad_scope", `${beyond}: ${why}`);
}

function endFor(nowMs: number, asked: number | undefined, maker: ApiToken | undefined): number {
  const latestMs = maker?.expiresAtMs ?? nowMs + TOKEN_MS_MAX;
  const endMs = asked ?? Math.min(nowMs + TOKEN_MS_DEFAULT, latestMs);
  if (endMs >= nowMs + TOKEN_MS_MIN && endMs <= latestMs) return endMs;
  const latest = new Date(latestMs).toISOString();
  throw new ControlError("bad_ttl", `the token may end from now on until ${latest}`);
}

function targetOf({ id, name }: Pick<ApiToken, "id" | "name">): Target {
  return { type: "token", id, name };
}

function shown({ name, scopes, expiresAtMs, revokedAtMs }: ApiToken): Shown {
  return {
    name,
    scopes: scopes ?? "all of the role",
    expires_at: new Date(expiresAtMs).toISOString(),
    revoked_at: revokedAtMs === undefined ? null : new Date(revokedAtMs).toISOString(),
  };
}
