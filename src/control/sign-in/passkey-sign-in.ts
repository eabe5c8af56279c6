/**
 * Signing in by a passkey, as both factors: the device is had, and it has looked who holds it. Nobody
 * says a name; which user it is, the device knows.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter, Plan } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import { PASSKEY_CHALLENGES_MAX, PASSKEY_CHALLENGES_PER_ADDRESS_MAX } from "../limits.ts";
import type { Users } from "../users.ts";
import { Challenges } from "./challenges.ts";
import {
  type AssertionAnswer,
  type AssertionOptions,
  assertionOptions,
  badPasskey,
  challengeOf,
  checkAssertion,
  type PasskeyPlace,
} from "./passkey-checks.ts";
import { type Passkey, PasskeyTable } from "./passkey-table.ts";
import type { Sessions } from "./sessions.ts";
import { sessionAsked, signedIn, type SignedIn, type SignInPlace } from "./sign-in.ts";

export interface PasskeySignInOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly ends: AccessEnds;
}

export class PasskeySignIn {
  readonly #table: PasskeyTable;
  readonly #options: PasskeySignInOptions;
  readonly #challenges: Challenges<PasskeyPlace>;

  constructor(database: DatabaseSync, options: PasskeySignInOptions) {
    this.#table = new PasskeyTable(database);
    this.#options = options;
    this.#challenges = new Challenges({
      clock: options.clock,
      max: PASSKEY_CHALLENGES_MAX,
      perAskerMax: PASSKEY_CHALLENGES_PER_ADDRESS_MAX,
    });
  }

  /** `from`: the network that asks; a stranger who asks without end takes nobody else's place. */
  begin(page: PasskeyPlace, from: string): Promise<AssertionOptions> {
    return assertionOptions(page, this.#challenges.begin(from, page));
  }

  /** Throws `bad_passkey`, `passkey_cloned`, `control_busy`, `control_failed`. */
  async confirm(answer: AssertionAnswer, place: SignInPlace): Promise<SignedIn> {
    const challenge = challengeOf(answer);
    const page = this.#challenges.use(challenge);
    if (page === undefined) throw badPasskey("its challenge is unknown, used or too old");
    const passkey = this.#table.byCredential(answer.id);
    if (passkey === undefined || passkey.rpId !== page.rpId) throw badPasskey("it is unknown");
    const counter = await checkAssertion(answer, passkey, { challenge, place: page });
    const asked = sessionAsked(this.#options.users.find(passkey.userId), place);
    return this.#options.writer.change(asked, () => this.#plan(passkey.id, counter, place));
  }

  #plan(id: string, counter: number, place: SignInPlace): Plan<SignedIn> {
    const { users, sessions, ends, clock } = this.#options;
    const passkey = this.#table.get(id);
    const user = passkey === undefined ? undefined : users.table.get(passkey.userId);
    if (passkey === undefined || user === undefined || user.disabledAtMs !== undefined) {
      throw badPasskey("it is unknown");
    }
    checkCounter(passkey, counter);
    const made = sessions.made(user, place, true);
    const facts = { by: "passkey", passkey: passkey.name };
    return {
      parts: [{ ...made.part, facts }],
      effects: [this.#table.used(id, counter, clock.nowMs()), ...made.effects],
      answer: () => signedIn(users.table, ends, made),
    };
  }
}

/** Two devices with one key count apart. Those that share it on purpose do not count: always 0. */
function checkCounter({ name, counter: last }: Passkey, counter: number): void {
  if (counter > last || (counter === 0 && last === 0)) return;
  throw new ControlError(
    "passkey_cloned",
    `${name} has signed ${counter} times, and ${last} times before that`,
  );
}
