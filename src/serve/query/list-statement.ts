/** Filters and cursors to one SELECT over a view. Values are parameters; names come from tables in the code. */
import type { Catalogue } from "../../query/catalogue.ts";
import { parseTime } from "../../std/duration.ts";
import { ServeError } from "../serve-error.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";
import type { Row, Statement } from "./store-reader.ts";

/** How a view is listed. All names are ours, never a request's. */
export interface Listing {
  readonly view: string;
  /** All versions of its rows, where it shows only the newest of each, and what tells rows apart in both. */
  readonly versions?: { readonly view: string; readonly key: readonly string[] };
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

/** Where a list goes on: all that passes the conditions, in order. */
interface Selection {
  readonly where: string;
  readonly order: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Newest first; or, with `follow`, changes in the order in which they came. `candidates`: of a view
 * with versions, a page is made from so many of them, the first that fit; what is found may be fewer
 * than asked for then, though there are more. Throws `bad_cursor`, `bad_request`.
 */
export function listStatement(
  listing: Listing,
  request: ListRequest,
  conditions: readonly Condition[],
  context: ListContext,
  candidates = Number.MAX_SAFE_INTEGER,
): Statement {
  const { view, columns, timeColumn } = listing;
  const selection = selectionOf(listing, request, conditions, context);
  const { where, order, params } = selection;
  const among = amongVersions(listing, request, selection);
  const filter = whereSql([where, among]);
  return {
    text: `SELECT ${columns.join(", ")}, toUnixTimestamp64Milli(${timeColumn}) AS key_ms FROM ${view}${filter} ORDER BY ${order} LIMIT {limit:UInt32}`,
    // One more than asked shows whether there are more.
    params: { ...params, limit: request.limit + 1, candidates },
  };
}

/** How many rows there are after a `follow` cursor, in `rows`. */
export function countStatement(
  listing: Listing,
  request: ListRequest,
  conditions: readonly Condition[],
  context: ListContext,
): Statement {
  const selection = selectionOf(listing, request, conditions, context);
  const filter = whereSql([selection.where, amongVersions(listing, request, selection)]);
  return { text: `SELECT count() AS rows FROM ${listing.view}${filter}`, params: selection.params };
}

/** How many versions a page was made from, and where the last of them stands: `{ found, last: [key_ms, id] }`. */
export function candidatesStatement(
  listing: Listing,
  request: ListRequest,
  conditions: readonly Condition[],
  context: ListContext,
  candidates: number,
): Statement {
  const { view, versions, timeColumn, idColumn } = listing;
  const { where, order, params } = selectionOf(listing, request, conditions, context);
  const key = `(toUnixTimestamp64Milli(${timeColumn}), ${idColumn}) AS place`;
  const from = `${versions?.view ?? view}${whereSql([where])}`;
  const some = `SELECT ${key} FROM ${from} ORDER BY ${order} LIMIT {candidates:UInt64}`;
  return {
    text: `SELECT count() AS found, min(place) AS last FROM (${some})`,
    params: { ...params, candidates },
  };
}

/**
 * To know which version of a row is its newest takes the store ten times as long as to find the
 * versions that fit. So these are found first, and the newest is looked for among few rows. What is
 * followed has no first ones: a row whose newest version comes later would be told before its turn.
 */
function amongVersions(
  { versions }: Listing,
  { follow }: ListRequest,
  { where, order }: Selection,
): string {
  if (versions === undefined) return "";
  const key = versions.key.join(", ");
  const some = follow === undefined ? ` ORDER BY ${order} LIMIT {candidates:UInt64}` : "";
  return `(${key}) IN (SELECT ${key} FROM ${versions.view}${whereSql([where])}${some})`;
}

function whereSql(parts: readonly string[]): string {
  const filled = parts.filter((part) => part !== "");
  return filled.length === 0 ? "" : ` WHERE ${filled.join(" AND ")}`;
}

function selectionOf(
  listing: Listing,
  request: ListRequest,
  conditions: readonly Condition[],
  context: ListContext,
): Selection {
  const { timeColumn, idColumn, indexColumn } = listing;
  const isFollow = request.follow !== undefined;
  const all = [
    ...timeConditions(timeColumn, request, context.nowMs),
    ...conditions,
    ...(isFollow ? followConditions(listing, request, context) : pageConditions(listing, request)),
  ];
  return {
    where: all.map(({ sql }) => `(${sql})`).join(" AND "),
    order: isFollow ? `${indexColumn}, ${idColumn}` : `${timeColumn} DESC, ${idColumn} DESC`,
    params: Object.assign({}, ...all.map(({ params }) => params)) as Record<string, unknown>,
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
  if (last !== undefined) return followAfterRow(listing, last);
  return followFrom(listing, context.committed);
}

/** The cursor after one row of a list. */
export function followAfterRow(listing: Listing, row: Row): string {
  const key = Number(row[listing.indexColumn]);
  return encodeCursor({ kind: "follow", key, id: idOf(listing, row) });
}

/** The cursor after everything below a journal index. */
export function followFrom(listing: Listing, committed: number): string {
  // No id is greater.
  return encodeCursor({ kind: "follow", key: listing.lastIndex(committed), id: "~" });
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

export function timeConditions(
  column: string,
  request: Pick<ListRequest, "since" | "until">,
  nowMs: number,
): Condition[] {
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
