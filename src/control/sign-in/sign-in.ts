/**
 * Signing in: by name, password and code, or by a one-time link. Wrong is wrong: who does not exist,
 * is disabled, has another password or another code gets one answer, after one hash.
 */
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { Asked, ChangeWriter, Part } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import type { Effect } from "../effect.ts";
import { secondFactorOf, type User, type UserTable } from "../user-table.ts";
import { newUser, userShown, userTarget, type Users, withoutSecondFactor } from "../users.ts";
import type { Who } from "../who.ts";
import type { SignInLinks, StoredLink } from "./links.ts";
import { checkPassword, type Passwords } from "./passwords.ts";
import type { Session } from "./session-table.ts";
import type { NewSession, SessionPlace, Sessions } from "./sessions.ts";
import { isTotpCode, newTotpSecret, recoveryHash, totpStep } from "./totp.ts";

export interface SignInOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly links: SignInLinks;
  readonly passwords: Passwords;
  readonly ends: AccessEnds;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Of the authenticator, or a recovery code. */
  readonly code?: string;
}

export interface LinkUse {
  readonly token: string;
  readonly name: string;
  readonly password: string;
}

/** From where, and by which way. */
export type SignInPlace = SessionPlace & Pick<Who, "origin">;

export interface SignedIn {
  readonly user: User;
  readonly session: Session;
  /** For the cookie. */
  readonly secret: string;
}

/** What of the second factor was given, and what is used up by it. */
interface SecondFactor {
  readonly fits: boolean;
  readonly isGiven: boolean;
  readonly effects: readonly Effect[];
}

export class SignIn {
  readonly #options: SignInOptions;
  readonly #table: UserTable;
  /** What a code is compared with for who has none. */
  readonly #nobodysSecret = newTotpSecret();

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#table = options.users.table;
  }

  /** Throws `bad_signin`, `control_busy`, `control_failed`. */
  async byPassword(given: Credentials, place: SignInPlace): Promise<SignedIn> {
    const { passwords, writer, sessions } = this.#options;
    const known = this.#table.byName(given.name);
    const isRight = await passwords.fits(given.password, known?.passwordHash);
    const factor = this.#secondFactor(known, given.code);
    if (known === undefined || !isRight || !factor.fits || known.disabledAtMs !== undefined) {
      throw badSignIn();
    }
    const made = sessions.made(known, place, factor.isGiven);
    return writer.change(sessionAsked(known, place, made.session.id), () => ({
      parts: [made.part],
      effects: [...this.#stillSo(known, given.code), ...made.effects],
      answer: () => signedIn(this.#table, this.#options.ends, made),
    }));
  }

  /** The first owner is made, or a user's password set anew. Throws `bad_signin_link`, `bad_password`, `bad_name` and as above. */
  async byLink({ token, name, password }: LinkUse, place: SignInPlace): Promise<SignedIn> {
    const { passwords, writer, links } = this.#options;
    const first = this.#userOf(links.find(token), name, place);
    checkPassword(password, first.user.name);
    const hash = await passwords.hash(password);
    const asked = {
      who: whoOf(first.user, place),
      action: first.action,
      target: userTarget(first.user),
    };
    return writer.change(asked, () => {
      // Meanwhile the link may be used, or somebody may be the first owner.
      const link = links.find(token);
      const { user, part, effects } = this.#userOf(link, name, place, first.user.id);
      const { sessions, ends } = this.#options;
      const made = sessions.made(user, place, false);
      return {
        parts: [part, made.part],
        effects: [
          ...effects,
          this.#table.passwordIs(user.id, hash),
          links.spent(link),
          sessions.table.deletionOf(user.id),
          ...made.effects,
        ],
        answer: () => {
          ends.tell({ user: user.id });
          return signedIn(this.#table, ends, made);
        },
      };
    });
  }

  /** Between check and change others may have changed something, or used the same code. What is used up now. */
  #stillSo(known: User, code: string | undefined): readonly Effect[] {
    const user = this.#table.get(known.id);
    const isSame =
      user?.passwordHash === known.passwordHash &&
      user?.disabledAtMs === undefined &&
      user?.totp?.secret === known.totp?.secret &&
      user?.passkeys === known.passkeys;
    const factor = this.#secondFactor(user, code);
    if (user === undefined || !isSame || !factor.fits) throw badSignIn();
    return factor.effects;
  }

  #secondFactor(user: User | undefined, code = ""): SecondFactor {
    const nowMs = this.#options.clock.nowMs();
    const { secret, usedStep } = user?.totp ?? { secret: this.#nobodysSecret, usedStep: 0 };
    const step = isTotpCode(code) ? totpStep(secret, code, nowMs) : undefined;
    const hash = recoveryHash(code);
    const isRecovery = this.#table.hasRecoveryCode(user?.id ?? "", hash);
    if (user === undefined || secondFactorOf(user) === "none") {
      return { fits: true, isGiven: false, effects: [] };
    }
    // Who has passkeys alone uses one, or a recovery code: the password by itself lets nobody in.
    if (user.totp !== undefined && step !== undefined && step > usedStep) {
      return { fits: true, isGiven: true, effects: [this.#table.stepUsed(user.id, step)] };
    }
    const effects = [this.#table.recoveryCodeUsed(user.id, hash)];
    return { fits: isRecovery, isGiven: isRecovery, effects };
  }

  /** Whom a link lets in, under that name. Throws `bad_signin_link`, `unknown_user`, `bad_name`. */
  #userOf(
    { userId }: StoredLink,
    name: string,
    place: SignInPlace,
    newUserId?: string,
  ): { user: User; action: string; part: Part; effects: Effect[] } {
    const { users, clock } = this.#options;
    if (userId === "" && this.#table.size === 0) {
      const draft = newUser({ name, role: "owner" }, clock.nowMs(), whoOf({ id: "", name }, place));
      const user = newUserId === undefined ? draft : { ...draft, id: newUserId };
      users.checkNew(user);
      const part = { action: "user.create", target: userTarget(user), after: userShown(user) };
      return { user, action: "user.create", part, effects: [this.#table.insertion(user)] };
    }
    const user = this.#table.byName(name);
    const isMeant = userId === "" ? user?.role === "owner" : user?.id === userId;
    const isLocal = user?.source === "local";
    if (user === undefined || !isMeant || !isLocal || user.disabledAtMs !== undefined) {
      throw new ControlError("unknown_user", "the link is for nobody of that name who may sign in");
    }
    const action = "user.set_password";
    const part = {
      action,
      target: userTarget(user),
      before: userShown(user),
      after: userShown(withoutSecondFactor(user)),
      facts: {
        by: "sign-in link",
        second_factor_removed: secondFactorOf(user) !== "none",
      },
    };
    const effects = this.#table.secondFactorsAreGone(user.id);
    return { user, action, part, effects };
  }
}

/** After the change that made the session. */
export function signedIn(table: UserTable, ends: AccessEnds, made: NewSession): SignedIn {
  const { session, secret, ended } = made;
  for (const each of ended) ends.tell({ session: each });
  const user = table.get(session.userId);
  if (user === undefined) throw new Error("a user is gone in the change that let them in");
  return { user, session, secret };
}

/** To begin a session, asked by whom it is for. */
export function sessionAsked(
  user: Pick<User, "id" | "name">,
  place: SignInPlace,
  sessionId = "",
): Asked {
  const target = { type: "session", id: sessionId, name: user.name };
  return { who: whoOf(user, place), action: "session.create", target };
}

function whoOf({ id, name }: Pick<User, "id" | "name">, place: SignInPlace): Who {
  return { actor: { type: "user", id, name }, address: place.address, origin: place.origin };
}

function badSignIn(): ControlError {
  return new ControlError("bad_signin", "or the user may not sign in");
}
