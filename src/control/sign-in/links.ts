/**
 * One-time sign-in links: the way in for the first owner, for a new user, and for an owner whom the
 * administrator of the machine lets in again. Whoever has the link is whom it is for.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../std/clock.ts";
import type { ChangeWriter, Part } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import type { Effect } from "../effect.ts";
import { LINKS_MAX, OWNER_LINK_MS, USER_LINK_MS } from "../limits.ts";
import type { User } from "../user-table.ts";
import type { Who } from "../who.ts";
import { newSecret, secretHash } from "../secret.ts";

export interface MadeLink {
  /** Shown once. */
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface StoredLink {
  readonly hash: string;
  /** Whom it is for; empty: the first owner, or one that there is. */
  readonly userId: string;
}

export class SignInLinks {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, writer: ChangeWriter, clock: Clock) {
    this.#database = database;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Throws `not_local`, `too_many_links`, `control_busy`, `control_failed`. */
  create(user: User | undefined, who: Who): Promise<MadeLink> {
    const { id = "", name = "" } = user ?? {};
    const asked = { who, action: "signin_link.create", target: { type: "user", id, name } };
    return this.#writer.change(asked, () => {
      if (user?.source === "oidc") {
        throw new ControlError("not_local", `${name} signs in with the OpenID provider`);
      }
      const { link, effects, part } = this.made(user);
      return { parts: [part], effects, answer: () => link };
    });
  }

  /** A link as part of another change. Throws `too_many_links`. */
  made(user: User | undefined): { link: MadeLink; effects: Effect[]; part: Part } {
    this.#forgetDead();
    const { count } =
      this.#database.prepare("SELECT count(*) AS count FROM signin_links").get() ?? {};
    if (Number(count) >= LINKS_MAX) {
      throw new ControlError("too_many_links", `${LINKS_MAX} sign-in links wait to be used`);
    }
    const token = newSecret();
    const expiresAtMs = this.#clock.nowMs() + (user === undefined ? OWNER_LINK_MS : USER_LINK_MS);
    const row = {
      secret_hash: secretHash(token),
      user_id: user?.id ?? "",
      expires_at_ms: expiresAtMs,
    };
    return {
      link: { token, expiresAtMs },
      // The one before is in nobody's hands who needs it.
      effects: [this.#replaced(row.user_id), { do: "insert", table: "signin_links", row }],
      part: { after: { expires_at: new Date(expiresAtMs).toISOString() } },
    };
  }

  /** Throws `bad_signin_link`: one answer for every reason. */
  find(token: string): StoredLink {
    const hash = secretHash(token);
    const row = this.#database
      .prepare("SELECT user_id FROM signin_links WHERE secret_hash = ? AND expires_at_ms > ?")
      .get(hash, this.#clock.nowMs());
    if (row === undefined) {
      throw new ControlError("bad_signin_link", "the link is unknown, expired or used");
    }
    return { hash, userId: String(row["user_id"]) };
  }

  /** It is used up. */
  spent({ userId }: StoredLink): Effect {
    return this.#replaced(userId);
  }

  #replaced(userId: string): Effect {
    return { do: "delete", table: "signin_links", key: { user_id: userId } };
  }

  #forgetDead(): void {
    this.#database
      .prepare("DELETE FROM signin_links WHERE expires_at_ms <= ?")
      .run(this.#clock.nowMs());
  }
}
