/** Somebody who watches `/api/v1/events` of a real server, over a connection of its own. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { readEvents, type ServerEvent } from "../../src/cli/event-reader.ts";
import type { Problem, ServerProcess } from "./server-process.ts";

export type Item = Readonly<Record<string, unknown>>;

export class EventClient implements Disposable {
  readonly #call: ClientRequest;
  readonly response: IncomingMessage;
  readonly #events: AsyncGenerator<readonly ServerEvent<Item>[]>;
  #left: ServerEvent<Item>[] = [];
  /** The cursor after what was taken last. */
  place = "";

  private constructor(call: ClientRequest, response: IncomingMessage) {
    this.#call = call;
    this.response = response;
    response.on("error", () => undefined);
    this.#events = readEvents<Item>(response);
  }

  static async open(
    { url, token }: Pick<ServerProcess, "url" | "token">,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventClient> {
    const at = new URL(`/api/v1/events?${new URLSearchParams(query).toString()}`, url);
    const call = request(at, {
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    call.on("error", () => undefined);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.once("response", resolve);
      call.once("error", reject);
      call.end();
    });
    return new EventClient(call, response);
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  async problem(): Promise<Problem> {
    return JSON.parse(await text(this.response)) as Problem;
  }

  /** The next one that is no mere place; undefined at the end. */
  async next(): Promise<ServerEvent<Item> | undefined> {
    for (;;) {
      const event = this.#left.shift();
      if (event === undefined) {
        const { value, done } = await this.#events.next();
        if (done === true) return undefined;
        this.#left = [...value];
        continue;
      }
      if (event.id !== "") this.place = event.id;
      if (event.event !== "place") return event;
    }
  }

  /** Items until one satisfies, that one included; other events are an error. */
  async itemsUntil(satisfies: (item: Item) => boolean): Promise<Item[]> {
    const items: Item[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined || !["connection", "finding"].includes(event.event)) {
        throw new Error(`expected an item: ${JSON.stringify(event)}`);
      }
      items.push(event.data as Item);
      if (satisfies(event.data as Item)) return items;
    }
  }

  /** The same, where the store may be away for a while, and the stream says so. */
  async itemsPatiently(satisfies: (item: Item) => boolean): Promise<Item[]> {
    const items: Item[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined || event.event === "dropped") throw new Error("the stream ended");
      if (event.event === "waiting" || event.event === "hello") continue;
      items.push(event.data as Item);
      if (satisfies(event.data as Item)) return items;
    }
  }

  /** Items until the stream ends, however it does. */
  async itemsToTheEnd(): Promise<Item[]> {
    const items: Item[] = [];
    try {
      await this.itemsPatiently((item) => items.push(item) < 0);
    } catch {
      // That is the end.
    }
    return items;
  }

  close(): void {
    this.#call.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
