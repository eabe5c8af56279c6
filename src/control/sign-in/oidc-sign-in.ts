/**
 * Signing in by the OpenID provider, once its token has been checked: who it is follows from issuer
 * and subject alone, what they may from their groups, each time anew.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter, Part, Plan } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import type { Effect } from "../effect.ts";
import { type Role, ROLES } from "../../api/roles.ts";
import { freeUserName } from "../user-name.ts";
import type { User, UserTable } from "../user-table.ts";
import { userShown, userTarget, type Users } from "../users.ts";
import type { GroupRole, OidcRules } from "./oidc-settings.ts";
import type { Sessions } from "./sessions.ts";
import { sessionAsked, signedIn, type SignedIn, type SignInPlace } from "./sign-in.ts";

/** What the provider's token says, checked. */
export interface ProvenPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  /** What the provider calls them; the first that can be a name here. */
  readonly names: readonly string[];
}

export interface OidcSignInOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly rules: OidcRules;
  readonly ends: AccessEnds;
}

interface Admitted {
  readonly user: User;
  readonly parts: readonly Part[];
  readonly effects: readonly Effect[];
  readonly isOther: boolean;
}

export class OidcSignIn {
  readonly #options: OidcSignInOptions;
  readonly #table: UserTable;

  constructor(options: OidcSignInOptions) {
    this.#options = options;
    this.#table = options.users.table;
  }

  /** Throws `oidc_off`, `oidc_denied`, `too_many_users`, `control_busy`, `control_failed`. */
  begin(person: ProvenPerson, place: SignInPlace): Promise<SignedIn> {
    const known = this.#table.bySubject(subjectOf(person)) ?? this.#drafted(person, "viewer");
    return this.#options.writer.change(sessionAsked(known, place), () => this.#plan(person, place));
  }

  #plan(person: ProvenPerson, place: SignInPlace): Plan<SignedIn> {
    const { sessions, ends } = this.#options;
    const { user, parts, effects, isOther } = this.#admitted(person);
    // How many factors there are is the provider's affair.
    const made = sessions.made(user, place, true);
    return {
      parts: [...parts, { ...made.part, facts: { by: "oidc" } }],
      effects: [...effects, ...made.effects],
      answer: () => {
        if (isOther) ends.tell({ user: user.id });
        return signedIn(this.#table, ends, made);
      },
    };
  }

  #admitted(person: ProvenPerson): Admitted {
    const { rules, sessions, users } = this.#options;
    const { roles, provider } = rules.required();
    const role = highestRole(roles, person.groups);
    const isOurs = person.issuer === provider.metadata.issuer;
    const before = this.#table.bySubject(subjectOf(person));
    if (role === undefined || !isOurs || before?.disabledAtMs !== undefined) throw denied();
    if (before === undefined) {
      const user = this.#drafted(person, role);
      users.checkNew(user);
      const part = { action: "user.create", target: userTarget(user), after: userShown(user) };
      return { user, parts: [part], effects: [this.#table.insertion(user)], isOther: false };
    }
    if (before.role === role) return { user: before, parts: [], effects: [], isOther: false };
    const user = { ...before, role };
    const part = {
      action: "user.set_role",
      target: userTarget(user),
      before: userShown(before),
      after: userShown(user),
      facts: { by: "groups of the provider" },
    };
    const effects = [this.#table.roleIs(user.id, role), sessions.table.deletionOf(user.id)];
    return { user, parts: [part], effects, isOther: true };
  }

  /** Somebody of whom nothing is known yet. Their id follows from who they are, so that one is never two. */
  #drafted(person: ProvenPerson, role: Role): User {
    const subject = subjectOf(person);
    return {
      id: createHash("sha256").update(subject).digest("hex").slice(0, 16),
      name: freeUserName(person.names, (name) => this.#table.byName(name) !== undefined),
      role,
      source: "oidc",
      subject,
      passkeys: 0,
      createdAtMs: this.#options.clock.nowMs(),
      createdBy: "oidc",
    };
  }
}

/** No issuer has a space in it. */
function subjectOf({ issuer, subject }: ProvenPerson): string {
  return `${issuer} ${subject}`;
}

function highestRole(roles: readonly GroupRole[], groups: readonly string[]): Role | undefined {
  const has = new Set(groups);
  const given = roles.filter(({ group }) => has.has(group)).map(({ role }) => ROLES.indexOf(role));
  return given.length === 0 ? undefined : ROLES[Math.max(...given)];
}

function denied(): ControlError {
  return new ControlError(
    "oidc_denied",
    "no group of yours has a role here, or an owner has disabled you",
  );
}
