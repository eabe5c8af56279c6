/** One page of a list: checked, asked, cut. */
import type { ApiParts } from "../api.ts";
import type { Condition, Listing, Page } from "./list-statement.ts";
import { checkNodeFilter } from "./node-filter.ts";
import { readPage } from "./read-page.ts";
import { committedIn } from "./store-reader.ts";
import { whereConditions } from "./where.ts";

const ROWS_DEFAULT = 100;

export interface ListQuery {
  readonly node?: string;
  readonly since?: string;
  readonly until?: string;
  readonly where?: string;
  readonly cursor?: string;
  readonly follow?: string;
  readonly limit?: number;
}

/** Throws `bad_cursor`, `bad_query`, `bad_filter`, `bad_request`, and what the store throws. */
export async function listPage(
  parts: Pick<ApiParts, "control" | "store"> & { readonly nowMs: number },
  listing: Listing,
  query: ListQuery,
  conditions: readonly Condition[],
): Promise<Page> {
  const { nowMs } = parts;
  const asked = whereConditions(query.where, listing.catalogue, nowMs);
  checkNodeFilter(query.node, parts.control.nodes.list());
  const request = { ...query, limit: query.limit ?? ROWS_DEFAULT };
  // Asked first: what is below it is there for whatever is asked afterwards.
  const context = { nowMs, committed: await committedIn(parts.store) };
  const all = [...conditions, ...asked];
  return readPage(parts.store, { listing, request, conditions: all, context });
}
