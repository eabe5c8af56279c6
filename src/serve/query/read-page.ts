/** A page of a list, in as few questions to the store as it takes. */
import { encodeCursor } from "./cursor.ts";
import {
  candidatesStatement,
  type Condition,
  type ListContext,
  type Listing,
  type ListRequest,
  listStatement,
  type Page,
  pageOf,
} from "./list-statement.ts";
import type { Row, StoreReader } from "./store-reader.ts";

/** For each row that is wanted, so many versions are looked through at first: most rows have had two or three. */
const VERSIONS_PER_ROW = 4;
/** Where most of these fit no more in their newest version (what is pending, say), many more are looked through. */
const MORE_VERSIONS = 16;
/** Then it costs the same to look at all. */
const VERSIONS_MAX = 1_000_000;

export interface PageAsked {
  readonly listing: Listing;
  readonly request: ListRequest;
  readonly conditions: readonly Condition[];
  readonly context: ListContext;
}

/** Throws `bad_cursor`, `bad_request`, and the errors of the store. */
export async function readPage(store: StoreReader, asked: PageAsked): Promise<Page> {
  const { listing, request, context } = asked;
  return pageOf(listing, request, await readRows(store, asked), context);
}

/** At most one more than the page holds. */
async function readRows(store: StoreReader, asked: PageAsked): Promise<Row[]> {
  const { listing, request, conditions, context } = asked;
  const isWhole = listing.versions === undefined || request.follow !== undefined;
  const rows: Row[] = [];
  let rest = request;
  let candidates = (request.limit + 1) * VERSIONS_PER_ROW;
  for (;;) {
    const some = isWhole || candidates > VERSIONS_MAX ? Number.MAX_SAFE_INTEGER : candidates;
    rows.push(...(await store.rows(listStatement(listing, rest, conditions, context, some))));
    if (isWhole || rows.length > request.limit) return rows;
    const statement = candidatesStatement(listing, rest, conditions, context, some);
    const [looked] = await store.rows<{ found: number; last: [number, string] }>(statement);
    if (looked === undefined || looked.found < some) return rows;
    const [key, id] = looked.last;
    const cursor = encodeCursor({ kind: "page", key, id });
    rest = { ...request, cursor, limit: request.limit - rows.length };
    candidates *= MORE_VERSIONS;
  }
}
