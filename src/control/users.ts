/**
 * Users: made, given a role, disabled, deleted by an owner; always one enabled owner stays who needs
 * no provider to sign in. What a user had before (sessions, running requests) ends with each of these.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Target } from "../format/entry.ts";
import { AUDIT_TEXT_CHARS_MAX } from "../format/limits.ts";
import type { Clock } from "../std/clock.ts";
import type { AccessEnds } from "./access-ends.ts";
import type { Asked, ChangeWriter, Plan, Planned } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import type { Effect } from "./effect.ts";
import { USERS_MAX } from "./limits.ts";
import type { Shown } from "./property-changes.ts";
import type { Role } from "../api/roles.ts";
import type { MadeLink, SignInLinks } from "./sign-in/links.ts";
import { newId } from "./secret.ts";
import { SessionTable } from "./sign-in/session-table.ts";
import { checkUserName } from "./user-name.ts";
import { maySignIn, secondFactorOf, type User, UserTable } from "./user-table.ts";
import type { Who } from "./who.ts";

export interface UsersOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly links: SignInLinks;
  readonly ends: AccessEnds;
}

export interface NewUser {
  readonly name: string;
  readonly role: Role;
}

export class Users {
  readonly table: UserTable;
  readonly #sessions: SessionTable;
  readonly #options: UsersOptions;

  constructor(database: DatabaseSync, options: UsersOptions) {
    this.table = new UserTable(database);
    this.#sessions = new SessionTable(database);
    this.#options = options;
  }

  /** By id or name. Throws `unknown_user`. */
  find(idOrName: string): User {
    const user = this.#lookFor(idOrName);
    if (user !== undefined) return user;
    throw new ControlError("unknown_user", `no user has the name or id ${shortened(idOrName)}`);
  }

  /** With the link by which they set password and second factor. Throws `bad_name`, `user_exists`, `too_many_users`, `control_busy`, `control_failed`. */
  create(
    { name, role }: NewUser,
    who: Who,
  ): Promise<{ readonly user: User; readonly link: MadeLink }> {
    const target = { type: "user", id: "", name: shortened(name) };
    return this.#options.writer.change({ who, action: "user.create", target }, () => {
      const user = newUser({ name, role }, this.#options.clock.nowMs(), who);
      this.checkNew(user);
      const { link, effects } = this.#options.links.made(user);
      return {
        parts: [{ target: userTarget(user), after: userShown(user), facts: factsOf(link) }],
        effects: [this.table.insertion(user), ...effects],
        answer: () => ({ user: this.find(user.id), link }),
      };
    });
  }

  /** Throws `bad_name`, `user_exists`, `too_many_users`. */
  checkNew({ name }: Pick<User, "name">): void {
    checkUserName(name);
    if (this.table.byName(name) !== undefined) {
      throw new ControlError("user_exists", `a user is named ${name}`);
    }
    if (this.table.size >= USERS_MAX) {
      throw new ControlError("too_many_users", `there are ${USERS_MAX} users`);
    }
  }

  /** Also throws `not_local`: the provider's groups say it, and would again. Throws `unknown_user`, `last_owner`, `control_busy`, `control_failed`; so do those below. */
  setRole(idOrName: string, role: Role, who: Who): Promise<User> {
    return this.#change({ idOrName, who, action: "user.set_role" }, (user) => {
      checkLocal(user);
      if (user.role === role) return undefined;
      this.#checkOwnerStays(user);
      return { after: { ...user, role }, effects: [this.table.roleIs(user.id, role)] };
    });
  }

  disable(idOrName: string, who: Who): Promise<User> {
    return this.#change({ idOrName, who, action: "user.disable" }, (user) => {
      if (user.disabledAtMs !== undefined) return undefined;
      this.#checkOwnerStays(user);
      const disabledAtMs = this.#options.clock.nowMs();
      const effects = [this.table.disabledSince(user.id, disabledAtMs)];
      return { after: { ...user, disabledAtMs }, effects };
    });
  }

  enable(idOrName: string, who: Who): Promise<User> {
    return this.#change({ idOrName, who, action: "user.enable" }, (user) => {
      const { disabledAtMs, ...after } = user;
      if (disabledAtMs === undefined) return undefined;
      return { after, effects: [this.table.disabledSince(user.id, null)] };
    });
  }

  /** The user sets up another one at the next sign-in. */
  resetSecondFactor(idOrName: string, who: Who): Promise<User> {
    return this.#change({ idOrName, who, action: "user.reset_second_factor" }, (user) => {
      if (secondFactorOf(user) === "none") return undefined;
      return {
        after: withoutSecondFactor(user),
        effects: this.table.secondFactorsAreGone(user.id),
      };
    });
  }

  delete(idOrName: string, who: Who): Promise<User> {
    const { writer, ends } = this.#options;
    return writer.change(this.#asked(idOrName, who, "user.delete"), () => {
      const user = this.find(idOrName);
      this.#checkOwnerStays(user);
      return {
        parts: [{ target: userTarget(user), before: userShown(user) }],
        effects: this.table.deletion(user.id),
        answer: () => {
          ends.tell({ user: user.id });
          return user;
        },
      };
    });
  }

  #change(
    { idOrName, who, action }: { idOrName: string; who: Who; action: string },
    plan: (user: User) => { after: User; effects: readonly Effect[] } | undefined,
  ): Promise<User> {
    return this.#options.writer.change(this.#asked(idOrName, who, action), (): Planned<User> => {
      const user = this.find(idOrName);
      const planned = plan(user);
      if (planned === undefined) return { unchanged: user };
      return this.#changed(user, planned.after, planned.effects);
    });
  }

  #changed(before: User, after: User, effects: readonly Effect[]): Plan<User> {
    const { id } = before;
    return {
      parts: [{ target: userTarget(before), before: userShown(before), after: userShown(after) }],
      effects: [...effects, this.#sessions.deletionOf(id)],
      answer: () => {
        this.#options.ends.tell({ user: id });
        return this.find(id);
      },
    };
  }

  #checkOwnerStays(user: User): void {
    const others = this.table.usableOwners().filter(({ id }) => id !== user.id);
    if (user.role !== "owner" || !maySignIn(user) || others.length > 0) return;
    throw new ControlError("last_owner", `${user.name} is the last owner who can sign in`);
  }

  /** Also of a user who is not there: the attempt is on record. */
  #asked(idOrName: string, who: Who, action: string): Asked {
    const user = this.#lookFor(idOrName) ?? { id: "", name: shortened(idOrName) };
    return { who, action, target: userTarget(user) };
  }

  #lookFor(idOrName: string): User | undefined {
    return this.table.get(idOrName) ?? this.table.byName(idOrName);
  }
}

/** That there is a link is to be known; the link itself is a secret. */
function factsOf({ expiresAtMs }: MadeLink) {
  return { link_expires_at: new Date(expiresAtMs).toISOString() };
}

export function newUser({ name, role }: NewUser, createdAtMs: number, who: Who): User {
  return {
    id: newId(),
    name,
    role,
    source: "local",
    passkeys: 0,
    createdAtMs,
    createdBy: who.actor.name,
  };
}

export function withoutSecondFactor({ totp: _totp, ...user }: User): User {
  return { ...user, passkeys: 0 };
}

/** Throws `not_local`: of whom the provider vouches for, this server keeps nothing to sign in with. */
export function checkLocal({ name, source }: Pick<User, "name" | "source">): void {
  if (source === "local") return;
  throw new ControlError("not_local", `${name} signs in with the OpenID provider`);
}

export function userTarget({ id, name }: Pick<User, "id" | "name">): Target {
  return { type: "user", id, name };
}

export function userShown(user: User): Shown {
  const { name, role, source, subject, disabledAtMs } = user;
  return {
    name,
    role,
    source,
    subject,
    enabled: disabledAtMs === undefined,
    second_factor: secondFactorOf(user),
  };
}

function shortened(text: string): string {
  return text.slice(0, AUDIT_TEXT_CHARS_MAX);
}
