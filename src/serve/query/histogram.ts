/** How many connections began when, by verdict: one count for each, over a time cut into equal parts. */
import type { Condition, ListContext, ListRequest } from "./list-statement.ts";
import { timeConditions } from "./list-statement.ts";
import type { Statement, StoreReader } from "./store-reader.ts";

export interface HistogramRequest extends Pick<ListRequest, "since" | "until"> {
  /** At most so many parts. */
  readonly partsMax: number;
}

export interface Histogram {
  /** Unix ms; a multiple of `stepMs`. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly stepMs: number;
  /** Parts with at least one connection, oldest first. */
  readonly parts: readonly HistogramPart[];
}

export interface HistogramPart {
  readonly atMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Lengths that a person reads off an axis. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 30].map((n) => n * MINUTE),
  ...[1, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 7, 28].map((n) => n * DAY),
];

/** Throws `bad_request`, and the errors of the store. */
export async function readHistogram(
  store: StoreReader,
  request: HistogramRequest,
  conditions: readonly Condition[],
  context: ListContext,
): Promise<Histogram> {
  const bounds = await boundsOf(store, request, context);
  const stepMs = stepFor(bounds.toMs - bounds.fromMs, request.partsMax);
  const fromMs = Math.floor(bounds.fromMs / stepMs) * stepMs;
  const toMs = Math.max(fromMs + stepMs, Math.ceil(bounds.toMs / stepMs) * stepMs);
  const all = [...timeConditions("opened_at", request, context.nowMs), ...conditions];
  const rows = await store.rows<CountRow>(countStatement(stepMs, all));
  return { fromMs, toMs, stepMs, parts: partsOf(rows, stepMs) };
}

interface CountRow {
  readonly part: number;
  readonly verdict: string;
  readonly count: number;
}

/** What was not said is where the rows begin, and now. */
async function boundsOf(
  store: StoreReader,
  request: HistogramRequest,
  { nowMs }: ListContext,
): Promise<{ readonly fromMs: number; readonly toMs: number }> {
  const said = timeConditions("opened_at", request, nowMs);
  const [since, until] = ["since_ms", "until_ms"].map((name) => {
    const found = said.find(({ params }) => name in params)?.params[name];
    return typeof found === "number" ? found : undefined;
  });
  const toMs = until ?? nowMs;
  if (since !== undefined) return { fromMs: Math.min(since, toMs), toMs };
  const [first] = await store.rows<{ from_ms: number }>({
    text: "SELECT toUnixTimestamp64Milli(min(k_opened)) AS from_ms FROM connection_rows",
    params: {},
  });
  const fromMs = first?.from_ms ?? toMs;
  return { fromMs: fromMs <= 0 ? toMs : Math.min(fromMs, toMs), toMs };
}

function stepFor(lengthMs: number, partsMax: number): number {
  const longest = STEPS_MS.at(-1) ?? DAY;
  // One part more: the first and the last are rarely whole.
  const wanted = lengthMs / Math.max(1, partsMax - 1);
  return STEPS_MS.find((step) => step >= wanted) ?? Math.ceil(wanted / longest) * longest;
}

/** Numbers, not the times that they stand for: grouping by these costs a tenth more of the whole. */
function countStatement(stepMs: number, conditions: readonly Condition[]): Statement {
  const where = conditions.map(({ sql }) => `(${sql})`).join(" AND ");
  const params = Object.assign({ step_ms: stepMs }, ...conditions.map((one) => one.params));
  return {
    text: `SELECT intDiv(toUnixTimestamp64Milli(opened_at), {step_ms:Int64}) AS part, verdict, count() AS count
      FROM connection_latest${where === "" ? "" : ` WHERE ${where}`} GROUP BY part, verdict ORDER BY part`,
    params: params as Record<string, unknown>,
  };
}

function partsOf(rows: readonly CountRow[], stepMs: number): HistogramPart[] {
  const parts = new Map<number, Record<string, number>>();
  for (const { part, verdict, count } of rows) {
    const counts = parts.get(part) ?? {};
    counts[verdict] = count;
    parts.set(part, counts);
  }
  return [...parts].map(([part, counts]) => ({ atMs: part * stepMs, counts }));
}
