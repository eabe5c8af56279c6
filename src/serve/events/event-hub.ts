/**
 * Live events: who watches what. Driven by the position up to which the store has everything; one
 * timer for all of them only shows that the server is there, and notices when nothing comes any more.
 */
import type { Proposals } from "../../control/proposals.ts";
import type { Nodes } from "../../control/nodes.ts";
import { AtOnce } from "../../std/at-once.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { StoreError } from "../../store/store-error.ts";
import { decodeCursor } from "../query/cursor.ts";
import { type Condition, followFrom, timeConditions } from "../query/list-statement.ts";
import { checkNodeFilter } from "../query/node-filter.ts";
import { committedIn, type StoreReader } from "../query/store-reader.ts";
import { type TopicFilters, type TopicName, TOPICS } from "../query/topics.ts";
import { whereConditions } from "../query/where.ts";
import { ServeError } from "../serve-error.ts";
import { EventStream, type Given } from "./event-stream.ts";
import { Feed } from "./feed.ts";
import {
  HEARTBEAT_MS,
  QUERIES_MAX,
  RETRY_MS,
  STREAMS_MAX,
  STREAMS_PER_PRINCIPAL_MAX,
} from "./limits.ts";

export interface EventHubOptions {
  readonly store: Pick<StoreReader, "rows">;
  readonly nodes: Pick<Nodes, "list">;
  readonly proposals: Pick<Proposals, "get">;
  readonly clock: Clock;
  /** Everything below this journal index is in the store. */
  readonly committed: () => number;
  /** One past the last durable record. */
  readonly journalEnd: () => number;
}

export interface Watch extends TopicFilters {
  readonly topic: TopicName;
  readonly where?: string;
  /** Exclusive: what began before. */
  readonly until?: string;
}

export interface Watcher {
  /** Whose streams are counted together. */
  readonly principal: string;
  /** A `follow` cursor to go on after; absent: from now on. */
  readonly after?: string;
  /** Ends the stream: who watches may no longer. */
  readonly signal?: AbortSignal;
  /** Once, however the stream ends. */
  readonly onEnd: (given: Given) => void;
}

export class EventHub {
  readonly #options: EventHubOptions;
  readonly #feeds = new Map<string, Feed>();
  /** Open streams by principal. */
  readonly #open = new Map<string, number>();
  readonly #queries = new AtOnce(QUERIES_MAX);
  #heartbeat: Timer | undefined;
  #retry: Timer | undefined;
  #committedBefore = 0;
  #isClosed = false;

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /** Takes a place until `release`. Throws `too_many_streams`, `bad_cursor`, and what is wrong with the filter. */
  reserve(
    watch: Watch,
    { principal, after }: Pick<Watcher, "principal" | "after">,
  ): { release(): void } {
    const { nodes, clock } = this.#options;
    if (after !== undefined) decodeCursor(after, "follow");
    queryConditions(watch, clock.nowMs());
    checkNodeFilter(watch.node, nodes.list());
    const own = this.#open.get(principal) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (own >= STREAMS_PER_PRINCIPAL_MAX || all >= STREAMS_MAX || this.#isClosed) {
      throw new ServeError("too_many_streams", `${own} of yours are open, ${all} in all`);
    }
    this.#open.set(principal, own + 1);
    return { release: () => this.#release(principal) };
  }

  /** After `reserve`. */
  async open(
    watch: Watch,
    { after, signal, onEnd }: Omit<Watcher, "principal">,
  ): Promise<EventStream> {
    const now = await this.#now(watch.topic);
    const feed = this.#feedFor(watch);
    const stream: EventStream = new EventStream({
      place: after ?? now.place,
      isResumed: after !== undefined,
      onDrained: () => this.#wake(feed),
      onEnd: (given) => {
        feed.streams.delete(stream);
        if (feed.streams.size === 0) this.#forget(feed);
        onEnd(given);
      },
    });
    feed.streams.add(stream);
    if (!now.isAnswered) stream.wait();
    signal?.addEventListener("abort", () => stream.end(), { once: true });
    if (this.#isClosed || signal?.aborted === true) stream.end();
    this.#heartbeat ??= this.#options.clock.after(HEARTBEAT_MS, () => this.#beat());
    this.#wake(feed);
    return stream;
  }

  /** The store has more. */
  wake(): void {
    for (const feed of this.#feeds.values()) this.#wake(feed);
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#retry?.cancel();
    for (const stream of this.#streams()) stream.end();
  }

  #release(principal: string): void {
    const left = (this.#open.get(principal) ?? 0) - 1;
    if (left > 0) this.#open.set(principal, left);
    else this.#open.delete(principal);
  }

  /** Where the store stands; while it does not answer, what is journaled from now on is not to be missed. */
  async #now(topic: TopicName): Promise<{ readonly place: string; readonly isAnswered: boolean }> {
    const { store, journalEnd } = this.#options;
    const { listing } = TOPICS[topic];
    const end = journalEnd();
    try {
      return { place: followFrom(listing, await committedIn(store)), isAnswered: true };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { place: followFrom(listing, end), isAnswered: false };
    }
  }

  #feedFor(watch: Watch): Feed {
    const key = keyOf(watch);
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    const { store, nodes, proposals, clock, committed } = this.#options;
    const topic = TOPICS[watch.topic];
    const feed = new Feed({
      topic,
      conditions: () => [
        ...topic.conditions(watch, nodes.list()),
        ...queryConditions(watch, clock.nowMs()),
      ],
      itemOf: (row) => topic.itemOf(row, proposals),
      rows: (statement) => this.#queries.run(() => store.rows(statement)),
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      committed,
      onUnanswered: () => {
        this.#retry ??= clock.after(RETRY_MS, () => {
          this.#retry = undefined;
          this.wake();
        });
      },
    });
    this.#feeds.set(key, feed);
    return feed;
  }

  #forget(feed: Feed): void {
    for (const [key, each] of this.#feeds) if (each === feed) this.#feeds.delete(key);
  }

  #wake(feed: Feed): void {
    feed.wake().catch((error: unknown) => {
      // Our own mistake: nobody who watches is to believe that nothing happens.
      for (const stream of feed.streams) stream.body.destroy(error as Error);
    });
  }

  #beat(): void {
    const { committed, journalEnd, clock } = this.#options;
    const hasMoved = committed() > this.#committedBefore;
    this.#committedBefore = committed();
    const isStuck = !hasMoved && journalEnd() > committed();
    for (const stream of this.#streams()) {
      if (isStuck) stream.wait();
      stream.heartbeat();
    }
    const isWatched = this.#feeds.size > 0;
    this.#heartbeat = isWatched ? clock.after(HEARTBEAT_MS, () => this.#beat()) : undefined;
  }

  #streams(): EventStream[] {
    return [...this.#feeds.values()].flatMap(({ streams }) => [...streams]);
  }
}

/** Throws `bad_query`, `bad_request`. */
function queryConditions({ topic, where, until }: Watch, nowMs: number): Condition[] {
  const { catalogue, timeColumn } = TOPICS[topic].listing;
  const bounds = timeConditions(timeColumn, until === undefined ? {} : { until }, nowMs);
  return [...bounds, ...whereConditions(where, catalogue, nowMs)];
}

/** Whoever asks the same is answered by one query. */
function keyOf({ topic, node, where, until, ...lists }: Watch): string {
  const { verdict, kind, severity, state } = lists;
  const sorted = [verdict, kind, severity, state].map((list) => list?.toSorted());
  return JSON.stringify([topic, node, where?.trim(), until, ...sorted]);
}
