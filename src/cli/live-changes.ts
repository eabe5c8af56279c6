/** Lists that go on: changes as they come, from a server that may be away for a while. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Input } from "../api/request.ts";
import type { ApiClient } from "./api-client.ts";
import { patiently } from "./patiently.ts";
import { type Dropped, readEvents, type ServerEvent } from "./event-reader.ts";

/** A stream that ended is not asked for again at once: the server may be going down. */
const REOPEN_AFTER_MS = 500;

type EventQuery = Input<"GET /events">["query"];
/** What can be asked of a topic, besides the place. */
export type Filters = Omit<EventQuery, "topic" | "last_event_id">;

export interface Watched {
  readonly topic: "connections" | "findings";
  readonly query: Filters;
  /** A cursor: what changed after it. */
  readonly follow: string;
  /** Hears when the server is away, when it is back, and what could not be shown. */
  readonly tell: (line: string) => void;
}

/** Every change, for ever; those that come together are given together. */
export async function* liveChanges<Item>(
  api: Pick<ApiClient, "stream" | "renew">,
  { topic, query, follow, tell }: Watched,
): AsyncGenerator<readonly Item[]> {
  // Places count records of the journal: they outlive the server that gave them.
  const place = new Place(follow, tell);
  for (;;) {
    const ask = () => api.stream({ query: { ...query, topic, last_event_id: place.cursor } });
    const stream = await patiently(api, { ask, tell });
    try {
      for await (const events of readEvents<Item>(stream)) {
        const items = events.flatMap((event) => place.take(event));
        if (items.length > 0) yield items;
      }
    } catch {
      // The server, or the way to it, went down: it is asked again, from the last place on.
    } finally {
      stream.destroy();
    }
    await sleep(REOPEN_AFTER_MS);
    api.renew();
  }
}

/** How far everything has been seen. */
class Place {
  readonly tell: (line: string) => void;
  #cursor: string;
  #isWaiting = false;

  constructor(cursor: string, tell: (line: string) => void) {
    this.#cursor = cursor;
    this.tell = tell;
  }

  get cursor(): string {
    return this.#cursor;
  }

  /** What is to be shown of an event. */
  take<Item>({ event, id, data }: ServerEvent<Item>): Item[] {
    if (id !== "") this.#cursor = id;
    switch (event) {
      case "connection":
      case "finding":
        return [data as Item];
      case "waiting":
        this.#isWaiting = true;
        this.tell("the store does not answer; waiting until it does");
        return [];
      case "hello":
        if (this.#isWaiting) this.tell("the store answers again");
        this.#isWaiting = false;
        return [];
      case "dropped":
        this.tell(
          `${(data as Dropped).count} changes are not shown: they came faster than they were read`,
        );
        return [];
      default:
        return [];
    }
  }
}
