/** Where findings are sent: one address, what is sent there, what it is signed with, and how far it has got. */
import { randomBytes } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import type { Severity } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import type { Effect } from "./effect.ts";
import type { Shown } from "./property-changes.ts";
import type { Who } from "./who.ts";

export interface Webhook {
  /** Checked by who asked; it may hold a secret of the receiver's in its path. */
  readonly url: string;
  readonly severities: readonly Severity[];
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly urlSetAtMs: number;
  readonly secretSetAtMs: number;
  /** A `follow` cursor: everything up to it was delivered, or came before the webhook. */
  readonly place: string;
  readonly delivered?: Delivered;
  /** The last one that failed, also when others were delivered after it. */
  readonly failed?: Failed;
}

export interface Delivered {
  readonly atMs: number;
}

export interface Failed {
  readonly atMs: number;
  readonly reason: string;
}

export interface WebhookRequest {
  readonly url: string;
  readonly severities: readonly Severity[];
  /** A new secret, also where there is one. */
  readonly newSecret?: boolean;
  /** Where a new webhook begins. */
  readonly place: string;
}

const SECRET_BYTES = 32;
const TARGET = { type: "webhook", id: "", name: "" } as const;
const KEY = { only_row: 1 } as const;

export class Webhooks {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, writer: ChangeWriter, clock: Clock) {
    this.#database = database;
    this.#writer = writer;
    this.#clock = clock;
  }

  get(): Webhook | undefined {
    const row = this.#database.prepare("SELECT * FROM webhook").get();
    return row === undefined ? undefined : webhookOf(row);
  }

  /** `secret` where it is new: shown once. Throws `control_busy`, `control_failed`. */
  set(
    request: WebhookRequest,
    who: Who,
  ): Promise<{ readonly webhook: Webhook; readonly secret?: string }> {
    return this.#writer.change({ who, action: "webhook.set", target: TARGET }, () => {
      const before = this.get();
      const { url, severities, newSecret = false } = request;
      const nowMs = this.#clock.nowMs();
      const isNew = newSecret || before === undefined;
      const secret = isNew
        ? `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`
        : before.secret;
      const after: Webhook = {
        place: request.place,
        ...before,
        url,
        severities,
        secret,
        urlSetAtMs: before?.url === url ? before.urlSetAtMs : nowMs,
        secretSetAtMs: isNew ? nowMs : before.secretSetAtMs,
      };
      if (isDeepStrictEqual(before, after)) return { unchanged: { webhook: after } };
      return {
        parts: [{ before: before === undefined ? {} : shown(before), after: shown(after) }],
        effects: [{ do: "delete", table: "webhook", key: KEY }, insertion(after)],
        answer: () => ({ webhook: after, ...(isNew ? { secret } : {}) }),
      };
    });
  }

  /** Throws `no_webhook`, `control_busy`, `control_failed`. */
  remove(who: Who): Promise<Webhook> {
    return this.#writer.change({ who, action: "webhook.remove", target: TARGET }, () => {
      const before = this.#known();
      return {
        parts: [{ before: shown(before) }],
        effects: [{ do: "delete", table: "webhook", key: KEY }],
        answer: () => before,
      };
    });
  }

  /** That somebody has a message sent to it, on record before it is. Throws `no_webhook` and the like. */
  test(who: Who): Promise<Webhook> {
    return this.#writer.change({ who, action: "webhook.test", target: TARGET }, () => {
      const webhook = this.#known();
      return { parts: [{}], effects: [], answer: () => webhook };
    });
  }

  /**
   * Nothing up to the place `to` is sent again; durable on return. Nothing happens where it does not
   * stand at `from` any more: then it is another webhook. `atMs`: something was delivered.
   */
  delivered({ from, to }: { readonly from: string; readonly to: string }, atMs?: number): void {
    this.#database
      .prepare(
        "UPDATE webhook SET place = ?, delivered_at_ms = coalesce(?, delivered_at_ms) WHERE place = ?",
      )
      .run(to, atMs ?? null, from);
  }

  failed({ atMs, reason }: Failed): void {
    this.#database.prepare("UPDATE webhook SET failed_at_ms = ?, failure = ?").run(atMs, reason);
  }

  #known(): Webhook {
    const webhook = this.get();
    if (webhook !== undefined) return webhook;
    throw new ControlError("no_webhook", "findings are sent nowhere");
  }
}

function insertion(webhook: Webhook): Effect {
  return {
    do: "insert",
    table: "webhook",
    row: {
      ...KEY,
      url: webhook.url,
      severities: JSON.stringify(webhook.severities),
      secret: webhook.secret,
      url_set_at_ms: webhook.urlSetAtMs,
      secret_set_at_ms: webhook.secretSetAtMs,
      place: webhook.place,
      delivered_at_ms: webhook.delivered?.atMs ?? null,
      failed_at_ms: webhook.failed?.atMs ?? null,
      failure: webhook.failed?.reason ?? null,
    },
  };
}

function webhookOf(row: Record<string, SQLOutputValue>): Webhook {
  const { delivered_at_ms: deliveredAtMs, failed_at_ms: failedAtMs } = row;
  return {
    url: String(row["url"]),
    severities: JSON.parse(String(row["severities"])) as Severity[],
    secret: String(row["secret"]),
    urlSetAtMs: Number(row["url_set_at_ms"]),
    secretSetAtMs: Number(row["secret_set_at_ms"]),
    place: String(row["place"]),
    ...(deliveredAtMs === null ? {} : { delivered: { atMs: Number(deliveredAtMs) } }),
    ...(failedAtMs === null
      ? {}
      : { failed: { atMs: Number(failedAtMs), reason: String(row["failure"]) } }),
  };
}

/** Of the URL its origin alone: many receivers have a secret in the path. */
function shown({ url, severities, urlSetAtMs, secretSetAtMs }: Webhook): Shown {
  return {
    origin: new URL(url).origin,
    url_set_at: new Date(urlSetAtMs).toISOString(),
    severities,
    secret_set_at: new Date(secretSetAtMs).toISOString(),
  };
}
