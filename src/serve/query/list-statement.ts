/** Filters and cursors to one SELECT over a view. Values are parameters; names come from tables in the code. */
import type { Catalogue } from "../../query/catalogue.ts";
import { parseTime } from "../../std/duration.ts";
import { ServeError } from "../serve-error.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";
import type { Row, Statement } from "./store-reader.ts";

/** How a view is listed. All names are ours, never a request's. */
export interface Listing {
  readonly view: string;
  readonly columns: readonly string[];
  /** What `where` can ask of its rows. */
  readonly catalogue: Catalogue;
  readonly timeColumn: string;
  readonly idColumn: string;
  /** Journal index of a row's last change. */
  readonly indexColumn: string;
  /** The highest value of that column that is searchable for sure. */
  readonly lastIndex: (committed: number) => number;
}

/** One condition and its parameters, e.g. `severity IN {severity:Array(String)}`. */
export interface Condition {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface ListRequest {
  readonly since?: string;
  readonly until?: string;
  readonly cursor?: string;
  readonly follow?: string;
  readonly limit: number;
}

export interface Page {
  readonly items: Row[];
  /** Pass as `cursor` for older rows; absent on the last page. */
  readonly next?: string;
  /** Pass as `follow` for what changed since. */
  readonly follow: string;
}

export interface ListContext {
  readonly nowMs: number;
  /** Everything below this journal index is in the store. */
  readonly committed: number;
}

/** Newest first; or, with `follow`, changes in the order in which they came. Throws `bad_cursor`, `bad_request`. */
export function listStatement(
  listing: Listing,
  request: ListRequest,
  conditions: readonly Condition[],
  context: ListContext,
): Statement {
  const { view, columns, timeColumn, idColumn, indexColumn } = listing;
  const isFollow = request.follow !== undefined;
  const all = [
    ...timeConditions(timeColumn, request, context.nowMs),
    ...conditions,
    ...(isFollow ? followConditions(listing, request, context) : pageConditions(listing, request)),
  ];
  const where = all.length === 0 ? "" : ` WHERE ${all.map(({ sql }) => `(${sql})`).join(" AND ")}`;
  const order = isFollow ? `${indexColumn}, ${idColumn}` : `${timeColumn} DESC, ${idColumn} DESC`;
  return {
    text: `SELECT ${columns.join(", ")}, toUnixTimestamp64Milli(${timeColumn}) AS key_ms FROM ${view}${where} ORDER BY ${order} LIMIT {limit:UInt32}`,
    // One more than asked shows whether there are more.
    params: Object.assign({ limit: request.limit + 1 }, ...all.map(({ params }) => params)),
  };
}

/** A page from the statement's rows. */
export function pageOf(
  listing: Listing,
  request: ListRequest,
  rows: readonly Row[],
  context: ListContext,
): Page {
  const isFull = rows.length > request.limit;
  const kept = isFull ? rows.slice(0, request.limit) : rows;
  const items = kept.map((row) =>
    Object.fromEntries(listing.columns.map((name) => [name, row[name]])),
  );
  const last = kept.at(-1);
  if (request.follow !== undefined) {
    return { items, follow: followAfter(listing, isFull ? last : undefined, context) };
  }
  const follow = followAfter(listing, undefined, context);
  if (!isFull || last === undefined) return { items, follow };
  const next: Cursor = { kind: "page", key: Number(last["key_ms"]), id: idOf(listing, last) };
  return { items, next: encodeCursor(next), follow };
}

function followAfter(listing: Listing, last: Row | undefined, context: ListContext): string {
  const cursor: Cursor =
    last === undefined
      ? { kind: "follow", key: listing.lastIndex(context.committed), id: "~" }
      : { kind: "follow", key: Number(last[listing.indexColumn]), id: idOf(listing, last) };
  return encodeCursor(cursor);
}

function idOf(listing: Listing, row: Row): string {
  return String(row[listing.idColumn]);
}

function pageConditions({ timeColumn, idColumn }: Listing, request: ListRequest): Condition[] {
  if (request.cursor === undefined) return [];
  const { key, id } = decodeCursor(request.cursor, "page");
  const at = "fromUnixTimestamp64Milli({cursor_ms:Int64}, 'UTC')";
  return [
    {
      sql: `${timeColumn} < ${at} OR (${timeColumn} = ${at} AND ${idColumn} < {cursor_id:String})`,
      params: { cursor_ms: key, cursor_id: id },
    },
  ];
}

/** Not beyond what is committed: rows of one range become visible table by table. */
function followConditions(
  { indexColumn, idColumn, lastIndex }: Listing,
  request: ListRequest,
  context: ListContext,
): Condition[] {
  const { key, id } = decodeCursor(request.follow ?? "", "follow");
  return [
    {
      sql: `${indexColumn} > {after:Int64} OR (${indexColumn} = {after:Int64} AND ${idColumn} > {after_id:String})`,
      params: { after: key, after_id: id },
    },
    {
      sql: `${indexColumn} <= {last_index:Int64}`,
      params: { last_index: lastIndex(context.committed) },
    },
  ];
}

function timeConditions(column: string, request: ListRequest, nowMs: number): Condition[] {
  return [
    ...bound(column, ">=", "since", request.since, nowMs),
    ...bound(column, "<", "until", request.until, nowMs),
  ];
}

function bound(
  column: string,
  operator: ">=" | "<",
  name: "since" | "until",
  text: string | undefined,
  nowMs: number,
): Condition[] {
  if (text === undefined) return [];
  const atMs = /^\d{10,15}$/.test(text) ? Number(text) : parseTime(text, nowMs);
  if (atMs === undefined) {
    throw new ServeError(
      "bad_request",
      `${name} is no time: write 1h (ago), 2026-03-01T08:30Z or Unix milliseconds`,
    );
  }
  const sql = `${column} ${operator} fromUnixTimestamp64Milli({${name}_ms:Int64}, 'UTC')`;
  return [{ sql, params: { [`${name}_ms`]: atMs } }];
}
