/**
 * The configuration: everything that people decide about this server, and who takes part. Each part
 * keeps its own tables; what they have in common is the file, and the one writer that lets nothing
 * change without its entry in the journal (change-writer.ts).
 */
import type { DatabaseSync } from "node:sqlite";
import { AccessEnds } from "./access-ends.ts";
import { ApiTokens } from "./api-tokens.ts";
import type { AuditEntry, EnrolledEntry, RevokedEntry } from "../format/entry.ts";
import {
  type Asked,
  ChangeWriter,
  type ChangeWriterOptions,
  type Planned,
} from "./change-writer.ts";
import { RememberedAnswers } from "./remembered-answers.ts";
import { openDatabase } from "./database.ts";
import { EnrolmentKeys } from "./enrolment-keys.ts";
import { Nodes, type NodesOptions } from "./nodes.ts";
import { Proposals } from "./proposals.ts";
import { Views } from "./views.ts";
import { SignInLinks } from "./sign-in/links.ts";
import { OidcRules } from "./sign-in/oidc-settings.ts";
import { OidcSignIn } from "./sign-in/oidc-sign-in.ts";
import { OwnCredentials } from "./sign-in/own-credentials.ts";
import { OwnPasskeys } from "./sign-in/own-passkeys.ts";
import { PasskeySignIn } from "./sign-in/passkey-sign-in.ts";
import { type Derive, Passwords } from "./sign-in/passwords.ts";
import { Sessions } from "./sign-in/sessions.ts";
import { SignInRules } from "./sign-in/settings.ts";
import { SignIn } from "./sign-in/sign-in.ts";
import { Webhooks } from "./webhook.ts";
import { Users } from "./users.ts";
import { Pruned } from "./pruned.ts";
import { Settings } from "./settings.ts";

export interface ControlOptions extends ChangeWriterOptions, Pick<NodesOptions, "chainEnd"> {
  /** `:memory:` in tests. */
  readonly file: string;
  /** How a password becomes a hash; tests count it. */
  readonly derive?: Derive;
}

/** What the tables follow from the journal. */
export type ControlEntry = EnrolledEntry | RevokedEntry | AuditEntry;

export class Control {
  readonly nodes: Nodes;
  readonly keys: EnrolmentKeys;
  readonly views: Views;
  readonly proposals: Proposals;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly tokens: ApiTokens;
  readonly links: SignInLinks;
  readonly signIn: SignIn;
  readonly signInRules: SignInRules;
  readonly oidcRules: OidcRules;
  readonly oidcSignIn: OidcSignIn;
  readonly ownCredentials: OwnCredentials;
  readonly ownPasskeys: OwnPasskeys;
  readonly passkeySignIn: PasskeySignIn;
  readonly answers: RememberedAnswers;
  readonly webhooks: Webhooks;
  readonly accessEnds = new AccessEnds();
  readonly settings: Settings;
  readonly pruned: Pruned;
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;

  /** Takes the lock of the data directory. Throws `data_in_use`, `state_too_new`, `control_failed`. */
  static open(options: ControlOptions): Control {
    return new Control(options, openDatabase(options.file));
  }

  private constructor(options: ControlOptions, database: DatabaseSync) {
    const { clock } = options;
    this.#database = database;
    this.#writer = new ChangeWriter(database, options);
    this.answers = new RememberedAnswers(database, clock);
    this.webhooks = new Webhooks(database, this.#writer, clock);
    this.keys = new EnrolmentKeys(database, this.#writer, clock);
    this.proposals = new Proposals(database);
    this.views = new Views(database, this.#writer, clock);
    this.pruned = new Pruned(database, this.#writer, clock);
    this.settings = new Settings(database, this.#writer);
    this.nodes = new Nodes(database, { ...options, writer: this.#writer, keys: this.keys });
    const people = { clock, writer: this.#writer, ends: this.accessEnds };
    const passwords = new Passwords(options.derive);
    this.links = new SignInLinks(database, this.#writer, clock);
    this.users = new Users(database, { ...people, links: this.links });
    this.sessions = new Sessions(database, people);
    this.tokens = new ApiTokens(database, people);
    this.signInRules = new SignInRules(database, this.#writer);
    const { links, users, sessions } = this;
    this.signIn = new SignIn({ ...people, links, users, sessions, passwords });
    this.oidcRules = new OidcRules(database, people);
    this.oidcSignIn = new OidcSignIn({ ...people, users, sessions, rules: this.oidcRules });
    const own = { ...people, users, sessions, passwords };
    this.ownCredentials = new OwnCredentials(own);
    this.ownPasskeys = new OwnPasskeys(database, { ...own, rules: this.signInRules });
    this.passkeySignIn = new PasskeySignIn(database, { ...people, users, sessions });
  }

  /** Index of the first journal record whose entries may not be applied yet. */
  get appliedIndex(): number {
    return this.#writer.appliedIndex;
  }

  /**
   * Applies what the journal holds from `appliedIndex` on; `nextIndex` is where the journal ends.
   * Before anything else, and idempotent: the file may be any older state, or new.
   */
  async replay(
    entries: AsyncIterable<ControlEntry> | Iterable<ControlEntry>,
    nextIndex: number,
  ): Promise<void> {
    for await (const entry of entries) {
      if (entry.kind === "audit") this.#writer.recover(entry);
      else this.nodes.replay(entry);
    }
    this.#writer.recovered(nextIndex);
    // What was staged has changed rows behind its back.
    this.nodes.table.reloadAll();
  }

  /** A change whose meaning is an entry of its own, and of no table: a ruling. As of `ChangeWriter.change`. */
  record<T>(asked: Asked, plan: () => Planned<T> | Promise<Planned<T>>): Promise<T> {
    return this.#writer.change(asked, plan);
  }

  /** Waits for the change in progress. */
  async close(): Promise<void> {
    await this.#writer.close();
    this.#database.close();
  }
}
