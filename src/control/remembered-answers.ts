/**
 * Answers by the idempotency keys of their requests. That a change was made is stored with it, in one
 * transaction; what was answered, as soon as that is known and before it is sent. So a crash in
 * between leaves a change whose answer is lost, and none that could be made twice.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../std/clock.ts";
import type { Effect } from "./effect.ts";
import { ANSWERS_KEPT_MAX, ANSWERS_KEPT_MS } from "./limits.ts";

/** One request, as it is told from others. */
export interface KeyedRequest {
  /** Whose it is: two may use the same key. */
  readonly principal: string;
  readonly key: string;
  /** Of method, path and body. */
  readonly fingerprint: string;
}

export interface RememberedAnswer {
  readonly fingerprint: string;
  /** What was changed: `enrolment_key.create 4f…`; empty where nothing was. */
  readonly about: string;
  /** Absent: it was never sent. */
  readonly answer?: { readonly status: number; readonly body: string };
}

const TABLE = "remembered_answers";

export class RememberedAnswers {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  get({ principal, key }: Pick<KeyedRequest, "principal" | "key">): RememberedAnswer | undefined {
    const row = this.#database
      .prepare(`SELECT * FROM ${TABLE} WHERE principal = ? AND key = ? AND at_ms > ?`)
      .get(principal, key, this.#clock.nowMs() - ANSWERS_KEPT_MS);
    if (row === undefined) return undefined;
    const { status, body } = row;
    const isKnown = status !== null && body !== null;
    return {
      fingerprint: String(row["fingerprint"]),
      about: String(row["about"]),
      ...(isKnown ? { answer: { status: Number(status), body: String(body) } } : {}),
    };
  }

  /** That a change was made, to be stored with it. An older answer of the same key has ended. */
  change(request: KeyedRequest, about: string): readonly Effect[] {
    const { principal, key, fingerprint } = request;
    const row = { principal, key, fingerprint, at_ms: this.#clock.nowMs(), about };
    return [
      { do: "delete", table: TABLE, key: { principal, key } },
      { do: "insert", table: TABLE, row },
    ];
  }

  /** What is about to be answered, without secrets; durable on return. */
  answered(
    request: KeyedRequest,
    answer: { readonly status: number; readonly body: string },
  ): void {
    const { principal, key, fingerprint } = request;
    const nowMs = this.#clock.nowMs();
    this.#database
      .prepare(
        `INSERT INTO ${TABLE} (principal, key, fingerprint, at_ms, about, status, body)
         VALUES (?, ?, ?, ?, '', ?, ?) ON CONFLICT (principal, key) DO UPDATE SET
           fingerprint = excluded.fingerprint, at_ms = excluded.at_ms, status = excluded.status, body = excluded.body`,
      )
      .run(principal, key, fingerprint, nowMs, answer.status, answer.body);
    this.#forgetOld(nowMs);
  }

  #forgetOld(nowMs: number): void {
    this.#database
      .prepare(
        `DELETE FROM ${TABLE} WHERE at_ms <= ? OR place <= (SELECT max(place) FROM ${TABLE}) - ?`,
      )
      .run(nowMs - ANSWERS_KEPT_MS, ANSWERS_KEPT_MAX);
  }
}
