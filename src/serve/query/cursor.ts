/**
 * Places in a list, handed to the client as one opaque text. `page` cursors go back in time from row
 * to row, `follow` cursors forward from change to change; both stay right while rows are added.
 */
import { ServeError } from "../serve-error.ts";

/** `key` is a time in ms (page) or a journal index (follow); `id` orders rows of the same key. */
export interface Cursor {
  readonly kind: "page" | "follow";
  readonly key: number;
  readonly id: string;
}

export function encodeCursor({ kind, key, id }: Cursor): string {
  return Buffer.from(JSON.stringify([kind, key, id])).toString("base64url");
}

/** Throws `bad_cursor`. */
export function decodeCursor(text: string, kind: Cursor["kind"]): Cursor {
  const values = parse(text);
  if (Array.isArray(values) && values.length === 3 && values[0] === kind) {
    const [, key, id] = values as unknown[];
    if (Number.isSafeInteger(key) && typeof id === "string" && id.length <= 64) {
      return { kind, key: key as number, id };
    }
  }
  throw new ServeError("bad_cursor", `${JSON.stringify(text.slice(0, 80))} is no ${kind} cursor`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
