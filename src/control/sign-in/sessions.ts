/**
 * Sessions: what a browser has after a sign-in. A new secret each time, kept as its hash; over after
 * half a day, after two idle hours, or when somebody ends it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../std/clock.ts";
import type { AccessEnds } from "../access-ends.ts";
import type { ChangeWriter, Part } from "../change-writer.ts";
import { ControlError } from "../control-error.ts";
import type { Effect } from "../effect.ts";
import {
  AGENT_CHARS_MAX,
  SEEN_WRITE_MS,
  SESSION_IDLE_MS_MAX,
  SESSION_MS_MAX,
  SESSIONS_PER_USER_MAX,
} from "../limits.ts";
import { type User, UserTable } from "../user-table.ts";
import type { Who } from "../who.ts";
import { newId, newSecret, secretHash } from "../secret.ts";
import { type Session, SessionTable } from "./session-table.ts";

export interface SessionsOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly ends: AccessEnds;
}

/** Where a session begins. */
export interface SessionPlace {
  readonly address: string;
  readonly agent: string;
}

export interface NewSession {
  readonly session: Session;
  /** For the cookie; shown once. */
  readonly secret: string;
  readonly effects: readonly Effect[];
  readonly part: Part;
  /** Sessions of the same user that end for it. */
  readonly ended: readonly string[];
}

/** Sessions that end with a change; `tell` is to be called when it is made. */
export interface EndedSessions {
  readonly effects: readonly Effect[];
  tell(): void;
}

export class Sessions {
  readonly table: SessionTable;
  readonly #users: UserTable;
  readonly #options: SessionsOptions;

  constructor(database: DatabaseSync, options: SessionsOptions) {
    this.table = new SessionTable(database);
    this.#users = new UserTable(database);
    this.#options = options;
    const nowMs = options.clock.nowMs();
    this.table.forgetDead(nowMs, nowMs - SESSION_IDLE_MS_MAX);
  }

  /** Whose request carries this secret; the session counts as used. Undefined: nobody's any more. */
  use(secret: string): { readonly session: Session; readonly user: User } | undefined {
    const session = this.table.bySecret(secretHash(secret));
    const user = session === undefined ? undefined : this.#userOf(session);
    if (session === undefined || user === undefined) return undefined;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - session.seenAtMs >= SEEN_WRITE_MS) this.table.seen(session.id, nowMs);
    return { session, user };
  }

  isAlive(id: string): boolean {
    const session = this.table.get(id);
    return session !== undefined && this.#userOf(session) !== undefined;
  }

  /** Those that could be used, newest first; of everybody without `userId`. */
  list(userId?: string): Session[] {
    return this.table.list(userId).filter((session) => this.#userOf(session) !== undefined);
  }

  /** A session of the user, as part of a change. */
  made(user: User, place: SessionPlace, secondFactor: boolean): NewSession {
    const nowMs = this.#options.clock.nowMs();
    const secret = newSecret();
    const session: Session = {
      id: newId(),
      secretHash: secretHash(secret),
      userId: user.id,
      createdAtMs: nowMs,
      seenAtMs: nowMs,
      expiresAtMs: nowMs + SESSION_MS_MAX,
      address: place.address,
      agent: place.agent.slice(0, AGENT_CHARS_MAX),
      secondFactor,
    };
    const ended = this.table.list(user.id).slice(SESSIONS_PER_USER_MAX - 1);
    return {
      session,
      secret,
      effects: [...ended.map(({ id }) => this.table.deletion(id)), this.table.insertion(session)],
      part: {
        action: "session.create",
        target: { type: "session", id: session.id, name: user.name },
        after: sessionShown(session),
      },
      ended: ended.map(({ id }) => id),
    };
  }

  /**
   * As part of a change by which a session shows more than before: those that showed less end. Throws
   * `unknown_session` where it has ended itself.
   */
  othersEnd(sessionId: string): EndedSessions {
    const session = this.table.get(sessionId);
    if (session === undefined) throw new ControlError("unknown_session", "the session has ended");
    const others = this.table.list(session.userId).filter(({ id }) => id !== sessionId);
    return {
      effects: others.map(({ id }) => this.table.deletion(id)),
      tell: () => {
        for (const { id } of others) this.#options.ends.tell({ session: id });
      },
    };
  }

  /** Throws `unknown_session`, also for one of which `mayEnd` says no: who asks learns nothing of others'. */
  end(id: string, who: Who, mayEnd: (session: Session) => boolean): Promise<Session> {
    const { writer, ends } = this.#options;
    const known = this.table.get(id);
    const name = known === undefined ? "" : (this.#users.get(known.userId)?.name ?? "");
    const target = { type: "session", id: id.slice(0, 64), name };
    return writer.change({ who, action: "session.end", target }, () => {
      const session = this.table.get(id);
      if (session === undefined || !mayEnd(session)) {
        throw new ControlError(
          "unknown_session",
          `no session of yours has the id ${id.slice(0, 64)}`,
        );
      }
      return {
        parts: [{ before: sessionShown(session) }],
        effects: [this.table.deletion(id)],
        answer: () => {
          ends.tell({ session: id });
          return session;
        },
      };
    });
  }

  #userOf({ userId, seenAtMs, expiresAtMs }: Session): User | undefined {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs >= expiresAtMs || nowMs - seenAtMs >= SESSION_IDLE_MS_MAX) return undefined;
    const user = this.#users.get(userId);
    return user?.disabledAtMs === undefined ? user : undefined;
  }
}

export function sessionShown({ address, expiresAtMs, secondFactor }: Session) {
  return {
    address,
    expires_at: new Date(expiresAtMs).toISOString(),
    second_factor: secondFactor,
  };
}
