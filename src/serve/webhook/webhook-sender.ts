/**
 * Sends findings to the webhook: each change of one, in the order of the journal, one at a time, until
 * it is taken. How far it has got is durable, so a restart repeats the message that was under way at
 * most. What is not taken is tried again, later and later; nothing is given up.
 */
import type { Webhook, Webhooks } from "../../control/webhook.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { type BackOff, backOffMs } from "../../std/retry.ts";
import { StoreError } from "../../store/store-error.ts";
import { decodeCursor } from "../query/cursor.ts";
import { FINDING_LISTING, findingConditions } from "../query/connection-list.ts";
import {
  countStatement,
  followAfterRow,
  followFrom,
  listStatement,
  pageOf,
} from "../query/list-statement.ts";
import type { Row, StoreReader } from "../query/store-reader.ts";
import { post, type Posted } from "./post.ts";
import type { Message } from "./sign.ts";

export interface WebhookSenderOptions {
  readonly webhooks: Pick<Webhooks, "get" | "delivered" | "failed">;
  readonly store: Pick<StoreReader, "rows">;
  /** A finding as the API answers it. */
  readonly itemOf: (row: Row) => Row;
  readonly clock: Clock;
  readonly random: () => number;
  /** Everything below this journal index is in the store. */
  readonly committed: () => number;
  readonly log: (line: string) => void;
}

/** A receiver that is started again, and one that is away for a weekend. */
const BACK_OFF: BackOff = { firstDelayMs: 1_000, delayMsMax: 3_600_000 };
const PAGE_ROWS = 100;
/** Where nothing fitted for so many records, that is remembered: they need not be looked through again. */
const PLACE_EVERY_RECORDS = 1_000;
const listing = FINDING_LISTING;

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #gone = new AbortController();
  #isAwake = false;
  #again = false;
  #failures = 0;
  #retry: Timer | undefined;
  #retryAtMs: number | undefined;
  /** Of whatever is being sent: one at a time. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  /** Since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Unix ms; undefined while nothing waits for it. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** There may be something to send. Does nothing while a failed message waits for its time. */
  wake(): void {
    if (this.#retry !== undefined || this.#gone.signal.aborted) return;
    this.#again = true;
    if (!this.#isAwake) this.#run().catch((error: unknown) => this.#stumbled(error));
  }

  /** The address has changed: what was waited for no longer counts. */
  changed(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#retryAtMs = undefined;
    this.#failures = 0;
    this.wake();
  }

  /** Sends a message that says nothing, beside all others. */
  test(webhook: Webhook): Promise<Posted> {
    const nowMs = this.#options.clock.nowMs();
    const timestamp = new Date(nowMs).toISOString();
    const body = JSON.stringify({ type: "webhook.test", timestamp, data: {} });
    return this.#send({ id: `msg_test_${nowMs}`, body }, webhook);
  }

  /** How many changes of findings it has not taken yet. Throws `StoreError`. */
  async waiting({ place, severities }: Webhook): Promise<number> {
    const { store, committed, clock } = this.#options;
    const context = { nowMs: clock.nowMs(), committed: committed() };
    const conditions = findingConditions({ severity: severities });
    const request = { follow: place, limit: PAGE_ROWS };
    const statement = countStatement(listing, request, conditions, context);
    const [counted] = await store.rows<{ rows: number }>(statement);
    return counted?.rows ?? 0;
  }

  /** Waits for nothing: what is under way is cut off, and sent again after the next start. */
  async close(): Promise<void> {
    this.#gone.abort(new Error("the server stops"));
    this.#retry?.cancel();
    await this.#sending;
  }

  async #run(): Promise<void> {
    this.#isAwake = true;
    try {
      while (this.#again && this.#retry === undefined) {
        this.#again = false;
        while (await this.#sendPage());
      }
    } finally {
      this.#isAwake = false;
    }
  }

  /** Whether there may be more. */
  async #sendPage(): Promise<boolean> {
    const { webhooks, store, clock, committed } = this.#options;
    const webhook = webhooks.get();
    if (webhook === undefined) return false;
    const { place, severities } = webhook;
    const end = followFrom(listing, committed());
    if (decodeCursor(place, "follow").key > listing.lastIndex(committed())) return false;
    const context = { nowMs: clock.nowMs(), committed: committed() };
    const request = { follow: place, limit: PAGE_ROWS };
    const conditions = findingConditions({ severity: severities });
    const statement = listStatement(listing, request, conditions, context);
    const page = pageOf(listing, request, await store.rows(statement), context);
    for (const row of page.items) {
      if (!(await this.#deliver(row, webhook))) return false;
    }
    if (page.items.length === 0) this.#moveOn(webhook, end);
    return page.follow !== end && page.items.length > 0;
  }

  /** False: not taken, or no longer to be sent there. */
  async #deliver(row: Row, before: Webhook): Promise<boolean> {
    const { webhooks, clock } = this.#options;
    const webhook = webhooks.get();
    if (webhook === undefined || isOther(webhook, before)) {
      this.#again = true;
      return false;
    }
    const posted = await this.#send(messageOf(this.#options.itemOf(row)), webhook);
    if (this.#gone.signal.aborted) return false;
    if (!posted.ok) {
      this.#hasFailed(posted.reason);
      return false;
    }
    if (this.#failures > 0) this.#options.log("the webhook takes findings again");
    this.#failures = 0;
    const place = { from: webhook.place, to: followAfterRow(listing, row) };
    webhooks.delivered(place, clock.nowMs());
    return true;
  }

  #send(message: Message, { url, secret }: Webhook): Promise<Posted> {
    const { clock } = this.#options;
    const { signal } = this.#gone;
    const sent = this.#sending.then(() => post(message, { url, secret, clock, signal }));
    this.#sending = sent;
    return sent;
  }

  #hasFailed(reason: string): void {
    const { webhooks, clock, log } = this.#options;
    const nowMs = clock.nowMs();
    webhooks.failed({ atMs: nowMs, reason });
    this.#failures++;
    if (this.#failures === 1)
      log(`the webhook did not take a finding, it is tried again: ${reason}`);
    this.#later(backOffMs(this.#failures, BACK_OFF, this.#options.random));
  }

  #later(pauseMs: number): void {
    const { clock } = this.#options;
    this.#retryAtMs = clock.nowMs() + pauseMs;
    this.#retry = clock.after(pauseMs, () => {
      this.#retry = undefined;
      this.#retryAtMs = undefined;
      this.wake();
    });
  }

  /** The store does not answer, or we made a mistake, which is said. */
  #stumbled(error: unknown): void {
    if (this.#gone.signal.aborted) return;
    if (!(error instanceof StoreError)) this.#options.log(`the webhook failed: ${String(error)}`);
    this.#later(BACK_OFF.firstDelayMs);
  }

  #moveOn({ place }: Webhook, end: string): void {
    const moved = decodeCursor(end, "follow").key - decodeCursor(place, "follow").key;
    if (moved >= PLACE_EVERY_RECORDS) this.#options.webhooks.delivered({ from: place, to: end });
  }
}

function isOther(webhook: Webhook, before: Webhook): boolean {
  return said(webhook) !== said(before);
}

function said({ url, severities, secret }: Webhook): string {
  return JSON.stringify([url, severities, secret]);
}

/** A change of a finding is one message, however often it is sent. */
function messageOf(data: Row): Message {
  const { id, state, time, journal_index: index } = data;
  const type = `finding.${String(state)}`;
  return {
    id: `msg_${String(id)}_${String(index)}`,
    body: JSON.stringify({ type, timestamp: time, data }),
  };
}
