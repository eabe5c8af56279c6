/**
 * All streams that watch the same: one query gives them all what has changed. Each stands at a place
 * of its own, so whoever resumes further back, or was stalled, is asked for apart until it stands with the others.
 */
import { decodeCursor } from "../query/cursor.ts";
import {
  type Condition,
  countStatement,
  followAfterRow,
  followFrom,
  type ListContext,
  type ListRequest,
  listStatement,
  pageOf,
} from "../query/list-statement.ts";
import type { Row, StoreReader } from "../query/store-reader.ts";
import type { Topic } from "../query/topics.ts";
import { StoreError } from "../../store/store-error.ts";
import type { Change, EventStream } from "./event-stream.ts";
import { eventText } from "./event-text.ts";
import { BEHIND_ROWS_MAX, LATE_MS_MAX, PAGE_ROWS_MAX } from "./limits.ts";

export interface FeedOptions {
  readonly topic: Topic;
  /** Asked anew each time: nodes are renamed, and time goes on. */
  readonly conditions: () => readonly Condition[];
  /** As the API answers it. */
  readonly itemOf: (row: Row) => Row;
  readonly rows: StoreReader["rows"];
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Everything below this journal index is in the store. */
  readonly committed: () => number;
  /** The store did not answer: `wake` is to be called later. */
  readonly onUnanswered: () => void;
}

export class Feed {
  readonly streams = new Set<EventStream>();
  readonly #options: FeedOptions;
  #isAwake = false;
  #again = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Gives everybody what is new. Resolves when that is done; another wake meanwhile looks once more. */
  async wake(): Promise<void> {
    this.#again = true;
    if (this.#isAwake) return;
    this.#isAwake = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#round();
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      for (const stream of this.streams) stream.wait();
      this.#options.onUnanswered();
    } finally {
      this.#isAwake = false;
    }
  }

  async #round(): Promise<void> {
    for (;;) {
      const [first] = [...this.streams].filter((stream) => this.#isBehind(stream));
      if (first === undefined) return;
      const together = [...this.streams].filter(
        ({ takesMore, place }) => takesMore && place === first.place,
      );
      await this.#turn(first.place, together);
    }
  }

  #isBehind(stream: EventStream): boolean {
    const { topic, committed } = this.#options;
    if (!stream.takesMore || stream.place === followFrom(topic.listing, committed())) return false;
    // A place that a list gave may be further than what is known here.
    return decodeCursor(stream.place, "follow").key <= topic.listing.lastIndex(committed());
  }

  async #turn(place: string, streams: readonly EventStream[]): Promise<void> {
    const { topic, conditions, itemOf, rows, nowMs, monotonicMs, committed } = this.#options;
    const { listing } = topic;
    const context = { nowMs: nowMs(), committed: committed() };
    const request = { follow: place, limit: PAGE_ROWS_MAX };
    const all = conditions();
    if (await this.#haveDropped(request, streams, all, context)) return;
    const page = pageOf(
      listing,
      request,
      await rows(listStatement(listing, request, all, context)),
      context,
    );
    const changes = page.items.map((row): Change => {
      const id = followAfterRow(listing, row);
      return { place: id, text: eventText({ event: topic.item, id, data: itemOf(row) }) };
    });
    const end = followFrom(listing, context.committed);
    for (const stream of streams) {
      stream.give(changes, page.follow);
      stream.stands(stream.place === end, monotonicMs());
    }
  }

  /** Who is late, and by too much to make up for it, goes on from now, and is told what is missing. */
  async #haveDropped(
    request: ListRequest,
    streams: readonly EventStream[],
    conditions: readonly Condition[],
    context: ListContext,
  ): Promise<boolean> {
    const { topic, rows, monotonicMs } = this.#options;
    const lateMs = monotonicMs() - LATE_MS_MAX;
    const slow = streams.filter(({ behindSinceMs = lateMs }) => behindSinceMs < lateMs);
    if (slow.length === 0) return false;
    const { listing } = topic;
    const [counted] = await rows<{ rows: number }>(
      countStatement(listing, request, conditions, context),
    );
    const missed = counted?.rows ?? 0;
    if (missed <= BEHIND_ROWS_MAX) return false;
    const end = followFrom(listing, context.committed);
    for (const stream of slow) {
      stream.drop(missed, end);
      stream.stands(true, monotonicMs());
    }
    return true;
  }
}
