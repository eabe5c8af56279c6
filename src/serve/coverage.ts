/**
 * How much of the traffic between nodes is recorded by both ends, and why the rest is not: what
 * the comparison can say nothing about, in figures.
 */
import type { Static } from "typebox";
import type { StoreReader } from "./query/store-reader.ts";
import type { Status } from "./schemas.ts";

type Coverage = NonNullable<Static<typeof Status>["coverage"]>;

/** One group of connections between two nodes in the last day. */
export interface CoverageRow {
  readonly is_recent: number;
  readonly two_halves: number;
  readonly verdict: string;
  readonly excuse: string;
  readonly connections: number;
}

const HOUR_MS = 3_600_000;

const TEXT = `SELECT opened_at >= fromUnixTimestamp64Milli({hour_ms:Int64}, 'UTC') AS is_recent,
  two_halves, toString(verdict) AS verdict, excuse, count() AS connections
FROM connections
WHERE opened_at >= fromUnixTimestamp64Milli({day_ms:Int64}, 'UTC') AND initiator_node != '' AND responder_node != ''
GROUP BY is_recent, two_halves, verdict, excuse`;

export async function readCoverage(store: StoreReader, nowMs: number): Promise<Coverage> {
  const params = { hour_ms: nowMs - HOUR_MS, day_ms: nowMs - 24 * HOUR_MS };
  const rows = await store.rows<CoverageRow>({ text: TEXT, params });
  return {
    hour: coverageOf(rows.filter((row) => row.is_recent === 1)),
    day: coverageOf(rows),
  };
}

export function coverageOf(rows: readonly CoverageRow[]): Coverage["day"] {
  let connections = 0;
  let bothEnds = 0;
  const reasons = new Map<string, number>();
  for (const row of rows) {
    connections += row.connections;
    if (row.two_halves === 1) {
      bothEnds += row.connections;
      continue;
    }
    const reason = row.excuse === "" ? row.verdict : row.excuse;
    reasons.set(reason, (reasons.get(reason) ?? 0) + row.connections);
  }
  return {
    connections,
    both_ends: bothEnds,
    share: connections === 0 ? null : bothEnds / connections,
    one_end_by_reason: Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a)),
  };
}
