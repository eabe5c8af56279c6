/**
 * What people do with their own passkeys: register, rename, remove. Whoever found an open screen
 * cannot: it takes the password, or a session that has just begun.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Target } from "../../format/entry.ts";
import type { Clock } from "../../std/clock.ts";
import type { ChangeWriter, Plan, Planned } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import { FRESH_SESSION_MS, PASSKEY_REGISTRATIONS_MAX, PASSKEYS_PER_USER_MAX } from "../limits.ts";
import type { Shown } from "../property-changes.ts";
import { checkTokenName } from "../user-name.ts";
import { checkLocal, type Users } from "../users.ts";
import { Challenges } from "./challenges.ts";
import type { Own } from "./own-credentials.ts";
import {
  badPasskey,
  challengeOf,
  checkRegistration,
  type NewPasskey,
  type PasskeyPlace,
  type RegistrationAnswer,
  type RegistrationOptions,
  registrationOptions,
} from "./passkey-checks.ts";
import { type Passkey, PasskeyTable } from "./passkey-table.ts";
import type { Passwords } from "./passwords.ts";
import { newId } from "../secret.ts";
import type { Sessions } from "./sessions.ts";
import type { SignInRules } from "./settings.ts";
import { newRecoveryCodes } from "./totp.ts";

export interface OwnPasskeysOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly rules: SignInRules;
}

export interface Registered {
  readonly passkey: Passkey;
  /** Shown once; none where the user has some already. */
  readonly recoveryCodes: readonly string[];
}

interface Begun {
  readonly sessionId: string;
  readonly place: PasskeyPlace;
}

export class OwnPasskeys {
  readonly table: PasskeyTable;
  readonly #options: OwnPasskeysOptions;
  readonly #challenges: Challenges<Begun>;

  constructor(database: DatabaseSync, options: OwnPasskeysOptions) {
    this.table = new PasskeyTable(database);
    this.#options = options;
    const { clock } = options;
    this.#challenges = new Challenges({ clock, max: PASSKEY_REGISTRATIONS_MAX, perAskerMax: 1 });
  }

  /** Throws `not_local`, `proof_needed`, `wrong_password`, `too_many_passkeys`, `control_busy`. */
  async begin(
    own: Own,
    place: PasskeyPlace,
    password: string | undefined,
  ): Promise<RegistrationOptions> {
    const user = this.#options.users.find(own.userId);
    checkLocal(user);
    await this.#checkProof(own, password);
    const known = this.#checkRoom(own.userId);
    const { sessionId } = own;
    const challenge = this.#challenges.begin(sessionId, { sessionId, place });
    return registrationOptions(user, place, { challenge, known });
  }

  /** As the first second factor it ends the user's other sessions. Throws `bad_passkey`, `bad_name`, `too_many_passkeys`, `unknown_session`, `control_busy`, `control_failed`. */
  async confirm(own: Own, answer: RegistrationAnswer, name: string): Promise<Registered> {
    checkTokenName(name);
    const challenge = challengeOf(answer);
    const begun = this.#challenges.use(challenge);
    if (begun === undefined || begun.sessionId !== own.sessionId) {
      throw badPasskey("its challenge is unknown, used or too old");
    }
    const made = await checkRegistration(answer, challenge, begun.place);
    const id = newId();
    const asked = { who: own.who, action: "passkey.create", target: targetOf({ id, name }) };
    return this.#options.writer.change(asked, () => this.#added(own, { id, name, ...made }));
  }

  /** Throws `unknown_passkey`, `bad_name`, `control_busy`, `control_failed`. */
  rename(own: Own, id: string, name: string): Promise<Passkey> {
    return this.#change(own, id, "passkey.update", (passkey) => {
      checkTokenName(name);
      if (passkey.name === name) return { unchanged: passkey };
      const after = { ...passkey, name };
      return {
        parts: [{ before: shown(passkey), after: shown(after) }],
        effects: [this.table.nameIs(id, name)],
        answer: () => after,
      };
    });
  }

  /** Throws `unknown_passkey`, `proof_needed`, `wrong_password`, `last_factor`, `control_busy`, `control_failed`. */
  async remove(own: Own, id: string, password: string | undefined): Promise<Passkey> {
    await this.#checkProof(own, password);
    const { users, rules } = this.#options;
    return this.#change(own, id, "passkey.delete", (passkey) => {
      const { totp, passkeys } = users.find(own.userId);
      const isLast = totp === undefined && passkeys === 1;
      if (isLast && rules.get().secondFactorRequired) {
        throw new ControlError("last_factor", `${passkey.name} is your only second factor`);
      }
      // Codes that stand in for a second factor are nothing without one.
      const codes = isLast ? users.table.recoveryCodesAre(own.userId, []) : [];
      return {
        parts: [{ before: shown(passkey) }],
        effects: [this.table.deletion(id), ...codes],
        answer: () => passkey,
      };
    });
  }

  #added(own: Own, made: NewPasskey & Pick<Passkey, "id" | "name">): Plan<Registered> {
    const { users, sessions, clock } = this.#options;
    const { userId, sessionId } = own;
    const user = users.find(userId);
    const others = sessions.othersEnd(sessionId);
    this.#checkRoom(userId);
    if (this.table.byCredential(made.credentialId) !== undefined) {
      throw badPasskey("it is registered already");
    }
    const passkey: Passkey = { ...made, userId, createdAtMs: clock.nowMs() };
    const isFirst = user.totp === undefined && user.passkeys === 0;
    const { codes, hashes } = isFirst ? newRecoveryCodes() : { codes: [], hashes: [] };
    return {
      parts: [{ after: shown(passkey) }],
      effects: [
        this.table.insertion(passkey),
        ...(isFirst ? users.table.recoveryCodesAre(userId, hashes) : []),
        sessions.table.secondFactorGiven(sessionId),
        ...(isFirst ? others.effects : []),
      ],
      answer: () => {
        if (isFirst) others.tell();
        return { passkey, recoveryCodes: codes };
      },
    };
  }

  #change(
    { userId, who }: Own,
    id: string,
    action: string,
    plan: (passkey: Passkey) => Planned<Passkey>,
  ): Promise<Passkey> {
    const known = this.table.get(id);
    const name = known?.userId === userId ? known.name : "";
    const asked = { who, action, target: targetOf({ id: id.slice(0, 64), name }) };
    return this.#options.writer.change(asked, () => {
      const passkey = this.table.get(id);
      if (passkey?.userId === userId) return plan(passkey);
      throw new ControlError(
        "unknown_passkey",
        `no passkey of yours has the id ${id.slice(0, 64)}`,
      );
    });
  }

  #checkRoom(userId: string): readonly Passkey[] {
    const known = this.table.list(userId);
    if (known.length < PASSKEYS_PER_USER_MAX) return known;
    throw new ControlError("too_many_passkeys", `you have ${PASSKEYS_PER_USER_MAX} passkeys`);
  }

  async #checkProof({ userId, sessionId }: Own, password: string | undefined): Promise<void> {
    const { sessions, clock, users, passwords } = this.#options;
    if (password !== undefined) {
      await passwords.check(password, users.find(userId).passwordHash);
      return;
    }
    const beganAtMs = sessions.table.get(sessionId)?.createdAtMs ?? 0;
    if (clock.nowMs() - beganAtMs < FRESH_SESSION_MS) return;
    throw new ControlError("proof_needed", "the session began more than five minutes ago");
  }
}

function targetOf({ id, name }: Pick<Passkey, "id" | "name">): Target {
  return { type: "passkey", id, name };
}

function shown({ name, rpId, isBackedUp }: Passkey): Shown {
  return { name, for: rpId, copied_by_its_maker: isBackedUp };
}
