/** What people change of themselves: their password, with the old one, and their second factor. */
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import { TOTP_REGISTRATIONS_MAX } from "../limits.ts";
import { secondFactorOf, type Totp } from "../user-table.ts";
import { checkLocal, userShown, userTarget, type Users } from "../users.ts";
import type { Who } from "../who.ts";
import { checkPassword, type Passwords } from "./passwords.ts";
import type { Sessions } from "./sessions.ts";
import { isTotpCode, newRecoveryCodes, newTotpSecret, totpStep, totpUri } from "./totp.ts";

export interface OwnCredentialsOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly ends: AccessEnds;
}

/** The user and session that ask. */
export interface Own {
  readonly userId: string;
  readonly sessionId: string;
  readonly who: Who;
}

export class OwnCredentials {
  readonly #options: OwnCredentialsOptions;
  /** By session, oldest first. */
  readonly #begun = new Map<string, string>();

  constructor(options: OwnCredentialsOptions) {
    this.#options = options;
  }

  /** All of the user's sessions end, this one too. Throws `wrong_password`, `bad_password`, `control_busy`, `control_failed`. */
  async setPassword(own: Own, old: string, password: string): Promise<void> {
    const { passwords, users, writer, sessions, ends } = this.#options;
    const known = users.find(own.userId);
    await passwords.check(old, known.passwordHash);
    checkPassword(password, known.name);
    const hash = await passwords.hash(password);
    const asked = { who: own.who, action: "user.set_password", target: userTarget(known) };
    return writer.change(asked, () => {
      const { id, passwordHash } = users.find(own.userId);
      if (passwordHash !== known.passwordHash) throw changedMeanwhile();
      return {
        parts: [{ facts: { by: "old password" } }],
        effects: [users.table.passwordIs(id, hash), sessions.table.deletionOf(id)],
        answer: () => ends.tell({ user: id }),
      };
    });
  }

  /** To set up an authenticator: of who has a second factor, which it would replace. */
  isPasswordAsked({ userId }: Own): boolean {
    return secondFactorOf(this.#options.users.find(userId)) !== "none";
  }

  /** A secret to confirm. Who has one already gives the password too. Throws `not_local`, `wrong_password`, `control_busy`. */
  async beginTotp(
    own: Own,
    password: string | undefined,
  ): Promise<{ readonly secret: string; readonly uri: string }> {
    const { users, passwords } = this.#options;
    const user = users.find(own.userId);
    checkLocal(user);
    if (this.isPasswordAsked(own)) await passwords.check(password ?? "", user.passwordHash);
    const secret = newTotpSecret();
    this.#begun.delete(own.sessionId);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size >= TOTP_REGISTRATIONS_MAX && oldest !== undefined)
      this.#begun.delete(oldest);
    this.#begun.set(own.sessionId, secret);
    return { secret, uri: totpUri(secret, user.name) };
  }

  /** With the recovery codes, shown once. The user's other sessions end. Throws `wrong_code`, `control_busy`, `control_failed`. */
  confirmTotp(own: Own, code: string): Promise<readonly string[]> {
    const { users, writer, sessions } = this.#options;
    const user = users.find(own.userId);
    const asked = { who: own.who, action: "user.set_second_factor", target: userTarget(user) };
    return writer.change(asked, () => {
      const before = users.find(own.userId);
      const others = sessions.othersEnd(own.sessionId);
      const totp = this.#confirmed(own, code);
      const { codes, hashes } = newRecoveryCodes();
      return {
        parts: [{ before: userShown(before), after: userShown({ ...before, totp }) }],
        effects: [
          users.table.totpIs(before.id, totp),
          ...users.table.recoveryCodesAre(before.id, hashes),
          sessions.table.secondFactorGiven(own.sessionId),
          ...others.effects,
        ],
        answer: () => {
          this.#begun.delete(own.sessionId);
          others.tell();
          return codes;
        },
      };
    });
  }

  #confirmed({ sessionId }: Own, code: string): Totp {
    const secret = this.#begun.get(sessionId) ?? "";
    const isCode = secret !== "" && isTotpCode(code);
    const usedStep = isCode ? totpStep(secret, code, this.#options.clock.nowMs()) : undefined;
    if (usedStep !== undefined) return { secret, usedStep };
    throw new ControlError("wrong_code", "the code is not the one of the secret shown last");
  }
}

/** While the new one was hashed. */
function changedMeanwhile(): ControlError {
  return new ControlError("wrong_password", "the password has changed meanwhile");
}
