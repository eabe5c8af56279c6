/** Server-sent events as they come in: what the server says of one change after the other (docs of `/api/v1/events`). */

/** An item is `connection` or `finding`; `place` only says how far the server has looked. */
export interface ServerEvent<Item> {
  readonly event: "connection" | "finding" | "hello" | "waiting" | "dropped" | "place";
  /** The cursor after it; empty where it has none. */
  readonly id: string;
  readonly data: Item | Dropped | undefined;
}

export interface Dropped {
  readonly count: number;
  /** Cursors. */
  readonly from: string;
  readonly to: string;
}

/** What a server of ours sends at most between two line breaks is far below. */
const LINE_CHARS_MAX = 16 * 1024 ** 2;

/** Those that came together in one piece come together. Throws for a line without end. */
export async function* readEvents<Item>(
  pieces: AsyncIterable<unknown>,
): AsyncGenerator<readonly ServerEvent<Item>[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    rest += decoder.decode(piece as Uint8Array, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) throw new Error("the server sends an event without end");
    const events = blocks.flatMap((block) => eventOf<Item>(block) ?? []);
    if (events.length > 0) yield events;
  }
}

function eventOf<Item>(block: string): ServerEvent<Item> | undefined {
  const fields: Record<"event" | "id" | "data", string> = { event: "place", id: "", data: "" };
  for (const line of block.split("\n")) {
    // A server of ours puts all data into one line.
    const [, name, value = ""] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === "event" || name === "id" || name === "data") fields[name] = value;
  }
  if (fields.event === "place" && fields.id === "") return undefined;
  const data = fields.data === "" ? undefined : (JSON.parse(fields.data) as Item | Dropped);
  return { event: fields.event as ServerEvent<Item>["event"], id: fields.id, data };
}
