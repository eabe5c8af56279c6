/**
 * Whole days of rows that can be given up: partitions are dropped at once, without reading or writing
 * a row. A day is left alone while anything that the comparison or a restart needs stands in it: rows
 * of a range that is not all in yet, and connections that are not settled.
 */
import type { ClickHouseClient } from "@clickhouse/client";
import type { TableName } from "./schema.ts";

/** A partition that no row of is needed. */
export interface OldDay {
  readonly table: PrunedTable;
  readonly partition: string;
  /** `2026-11-28` */
  readonly day: string;
  readonly rows: number;
  /** On disk. */
  readonly bytes: number;
}

export type PrunedTable = "audit_rows" | "connection_rows" | "log_rows";

interface Pruning {
  /** One past the newest record that a row of the partition is of. */
  readonly nextIndex: string;
  readonly from: string;
  readonly where: string;
  readonly having: string;
}

const PRUNINGS = {
  audit_rows: {
    nextIndex: "max(journal_index) + 1",
    from: "audit_rows",
    where: "",
    having: "1",
  },
  // Partitions with other entries than logs stay: evidence may rest on them.
  log_rows: {
    nextIndex: "max(journal_index) + 1",
    from: "log_rows",
    where: "AND endsWith(_partition_id, '-1')",
    having: "1",
  },
  // A version is one past the range that wrote the row.
  connection_rows: {
    nextIndex: "max(version)",
    from: "connection_rows FINAL",
    where: "",
    having: "min(settled) = 1 AND max(parked) = 0",
  },
} as const satisfies Partial<Record<TableName, Pruning>>;

/** `beforeDay`: `20261128`, exclusive. Rows of records from the store's own position on are not looked at as old. */
export async function oldDays(
  client: ClickHouseClient,
  table: PrunedTable,
  beforeDay: string,
): Promise<OldDay[]> {
  const { nextIndex, from, where, having } = PRUNINGS[table];
  const result = await client.query({
    query: `SELECT partition, toString(rows) AS rows, toString(bytes) AS bytes
      FROM (SELECT _partition_id AS partition, count() AS rows FROM ${from}
        WHERE substring(_partition_id, 1, 8) < {before:String} ${where}
        GROUP BY partition
        HAVING ${nextIndex} <= (SELECT max(next_index) FROM derive_cursor WHERE name = 'derive') AND ${having}) AS old
      INNER JOIN (SELECT partition_id AS partition, sum(bytes_on_disk) AS bytes FROM system.parts
        WHERE database = currentDatabase() AND table = {table:String} AND active GROUP BY partition) AS parts
      USING partition ORDER BY partition`,
    query_params: { before: beforeDay, table },
    format: "JSONEachRow",
  });
  const found = await result.json<{ partition: string; rows: string; bytes: string }>();
  return found.map(({ partition, rows, bytes }) => ({
    table,
    partition,
    day: isoDay(partition),
    rows: Number(rows),
    bytes: Number(bytes),
  }));
}

export async function dropDay(
  client: ClickHouseClient,
  { table, partition }: Pick<OldDay, "table" | "partition">,
): Promise<void> {
  if (!/^\d{8}(?:-1)?$/.test(partition)) throw new Error(`${partition} is no day's partition`);
  await client.command({ query: `ALTER TABLE ${table} DROP PARTITION ID '${partition}'` });
}

function isoDay(partition: string): string {
  return `${partition.slice(0, 4)}-${partition.slice(4, 6)}-${partition.slice(6, 8)}`;
}
