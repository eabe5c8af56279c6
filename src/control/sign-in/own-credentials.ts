/** What people change of themselves: their password, with the old one, and their second factor. */
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import { secondFactorOf } from "../user-table.ts";
import type { Users } from "../users.ts";
import { checkLocal, userShown, userTarget } from "../users.ts";
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

/** Secrets that were shown and not confirmed yet; more than this many sessions do not set one up at once. */
const BEGUN_MAX = 1_000;

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
    await this.#checkPassword(own, old);
    checkPassword(password, known.name);
    const hash = await passwords.hash(password);
    const asked = { who: own.who, action: "user.set_password", target: userTarget(known) };
    return writer.change(asked, () => {
      const { id, passwordHash } = users.find(own.userId);
      if (passwordHash !== known.passwordHash) throw wrongPassword();
      return {
        parts: [{ facts: { by: "old password" } }],
        effects: [users.table.passwordIs(id, hash), sessions.table.deletionOf(id)],
        answer: () => ends.tell({ user: id }),
      };
    });
  }

  /** A secret to confirm. Who has one already gives the password too. Throws `not_local`, `wrong_password`, `control_busy`. */
  async beginTotp(
    own: Own,
    password: string | undefined,
  ): Promise<{ readonly secret: string; readonly uri: string }> {
    const user = this.#options.users.find(own.userId);
    const { name } = user;
    checkLocal(user);
    if (secondFactorOf(user) !== "none") await this.#checkPassword(own, password ?? "");
    const secret = newTotpSecret();
    this.#begun.delete(own.sessionId);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size >= BEGUN_MAX && oldest !== undefined) this.#begun.delete(oldest);
    this.#begun.set(own.sessionId, secret);
    return { secret, uri: totpUri(secret, name) };
  }

  /** With the recovery codes, shown once. The user's other sessions end. Throws `wrong_code`, `control_busy`, `control_failed`. */
  confirmTotp(own: Own, code: string): Promise<readonly string[]> {
    const { users, writer, clock, sessions } = this.#options;
    const user = users.find(own.userId);
    const asked = { who: own.who, action: "user.set_second_factor", target: userTarget(user) };
    return writer.change(asked, () => {
      const before = users.find(own.userId);
      if (sessions.table.get(own.sessionId) === undefined) {
        throw new ControlError("unknown_session", "the session has ended");
      }
      const secret = this.#begun.get(own.sessionId);
      const step =
        secret !== undefined && isTotpCode(code)
          ? totpStep(secret, code, clock.nowMs())
          : undefined;
      if (secret === undefined || step === undefined) {
        throw new ControlError("wrong_code", "the code is not the one of the secret shown last");
      }
      const { id } = before;
      const totp = { secret, usedStep: step };
      const { codes, hashes } = newRecoveryCodes();
      const others = sessions.table.list(id).filter((each) => each.id !== own.sessionId);
      return {
        parts: [{ before: userShown(before), after: userShown({ ...before, totp }) }],
        effects: [
          users.table.totpIs(id, totp),
          ...users.table.recoveryCodesAre(id, hashes),
          sessions.table.secondFactorGiven(own.sessionId),
          ...others.map((each) => sessions.table.deletion(each.id)),
        ],
        answer: () => {
          this.#begun.delete(own.sessionId);
          for (const each of others) this.#options.ends.tell({ session: each.id });
          return codes;
        },
      };
    });
  }

  async #checkPassword({ userId }: Own, password: string): Promise<void> {
    const { passwords, users } = this.#options;
    if (!(await passwords.fits(password, users.find(userId).passwordHash))) throw wrongPassword();
  }
}

function wrongPassword(): ControlError {
  return new ControlError("wrong_password", "the password is not yours");
}
