/** Ids as people give them: whole, or their first digits where no other id begins so; upper case counts the same. */
import { ID_DIGITS, ID_PREFIX_DIGITS_MIN } from "../../api/limits.ts";
import type { ControlNode } from "../../control/node-table.ts";
import { ServeError } from "../serve-error.ts";
import type { StoreReader } from "./store-reader.ts";

/** So many are listed of those that begin alike. */
const LISTED_MAX = 10;

/** The id of the finding that is meant. Throws `unknown_finding`, `ambiguous_id`, and the errors of the store. */
export async function findingIdOf(store: StoreReader, given: string): Promise<string> {
  const prefix = prefixOf(given);
  if (prefix === undefined) {
    const how = `it takes ${ID_PREFIX_DIGITS_MIN} to ${ID_DIGITS} hex digits`;
    throw new ServeError("unknown_finding", `${given.slice(0, 64)} is no id: ${how}`);
  }
  if (prefix.length === ID_DIGITS) return prefix;
  const rows = await store.rows<{ id: string }>({
    text: "SELECT id FROM findings WHERE startsWith(id, {prefix:String}) ORDER BY id LIMIT {limit:UInt32}",
    params: { prefix, limit: LISTED_MAX + 1 },
  });
  const id = single(
    given,
    rows.map((row) => row.id),
  );
  if (id !== undefined) return id;
  throw new ServeError("unknown_finding", `no finding has an id that begins with ${given}`);
}

/** The id of the node that is meant, or what was given: a name, or nobody's. Throws `ambiguous_id`. */
export function nodeIdOf(nodes: readonly ControlNode[], given: string): string {
  const prefix = prefixOf(given);
  // A name comes first: whoever gives it may not know that it looks like an id.
  if (prefix === undefined || nodes.some(({ name }) => name === given)) return given;
  const ids = nodes.flatMap(({ id }) => (id.startsWith(prefix) ? [id] : []));
  return single(given, ids.toSorted()) ?? given;
}

function prefixOf(given: string): string | undefined {
  const isPrefix = /^[0-9a-fA-F]+$/.test(given);
  const isLong = given.length >= ID_PREFIX_DIGITS_MIN && given.length <= ID_DIGITS;
  return isPrefix && isLong ? given.toLowerCase() : undefined;
}

function single(given: string, ids: readonly string[]): string | undefined {
  if (ids.length <= 1) return ids[0];
  const more = ids.length > LISTED_MAX ? " and more" : "";
  throw new ServeError("ambiguous_id", `${given}: ${ids.slice(0, LISTED_MAX).join(", ")}${more}`);
}
