/** For tests: a control state in memory, with a journal that is an array and passwords that hash at once. */
import { createHash } from "node:crypto";
import type { AuditEntry, ServerEntry } from "../format/entry.ts";
import { ManualClock } from "../std/clock.ts";
import { Control } from "./control.ts";
import type { Role } from "../api/roles.ts";
import type { SignedIn, SignInPlace } from "./sign-in/sign-in.ts";
import type { Who } from "./who.ts";

export const ADMIN: Who = {
  actor: { type: "token", id: "admin", name: "admin" },
  address: "127.0.0.1",
  origin: "cli",
};

export const PLACE: SignInPlace = { address: "10.0.0.9", agent: "a browser", origin: "console" };

export const PASSWORD = "correct horse battery";

export class TestControl {
  readonly clock = new ManualClock();
  readonly journal: ServerEntry[] = [];
  readonly control: Control;
  /** How many passwords were hashed. */
  hashes = 0;

  constructor() {
    let appends = 0;
    this.control = Control.open({
      file: ":memory:",
      clock: this.clock,
      append: async (entries) => {
        this.journal.push(...entries);
        return { index: appends++ };
      },
      chainEnd: async () => ({ epoch: 0, batches: 0 }),
      onFatal: (error) => {
        throw error;
      },
      derive: async (password, salt) => {
        this.hashes++;
        return createHash("sha256").update(password).update(salt).digest();
      },
    });
  }

  /** A user who has used the link: the password is set, and this is the session. */
  async join(name: string, role: Role): Promise<SignedIn> {
    const { link } = await this.control.users.create({ name, role }, ADMIN);
    const use = { token: link.token, name, password: PASSWORD };
    return this.control.signIn.byLink(use, PLACE);
  }

  get audits(): AuditEntry[] {
    return this.journal.filter((entry) => entry.kind === "audit");
  }

  /** `action outcome code` of what was journaled last. */
  get last(): string {
    const entry = this.audits.at(-1);
    return `${entry?.action} ${entry?.outcome} ${entry?.code}`.trimEnd();
  }
}

/** For assert.rejects and assert.throws. */
export function coded(code: string): (error: unknown) => boolean {
  return (error) => (error as { code?: unknown }).code === code;
}
