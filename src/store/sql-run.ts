/**
 * Runs a checked query of a user within limits. More rows or bytes than allowed are no error: the answer is cut and says so.
 */
import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import { refuse, type CheckedSql, type SqlRefusal } from "./sql-guard.ts";
import { storeErrorOf } from "./store-error.ts";

export interface SqlLimits {
  /** Default 10,000. */
  readonly rowsMax?: number;
  /** Of the rows as JSON. Default 16 MiB. */
  readonly bytesMax?: number;
  /** Seconds. Default 30. */
  readonly runMaxSeconds?: number;
  /** Default 1 GiB. */
  readonly memoryMaxBytes?: number;
}

export interface SqlAnswer {
  readonly ok: true;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** One array a row; 64-bit integers are strings, so that none is rounded. */
  readonly rows: readonly (readonly unknown[])[];
  /** Why rows are missing, if any are. */
  readonly cut: "rows" | "bytes" | undefined;
}

/** `sql_failed` with the engine's words when it cannot be run, e.g. for an unknown column or an exceeded limit. Throws `store_unavailable`. */
export async function runChecked(
  client: ClickHouseClient,
  checked: CheckedSql,
  limits: SqlLimits = {},
  signal?: AbortSignal,
): Promise<SqlAnswer | SqlRefusal> {
  const { rowsMax = 10_000, bytesMax = 16 * 1024 ** 2 } = limits;
  try {
    const answer = await client.query({
      query: checked.sql,
      format: "JSONCompactEachRowWithNamesAndTypes",
      clickhouse_settings: engineLimits(limits, rowsMax, bytesMax),
      ...(signal === undefined ? {} : { abort_signal: signal }),
    });
    return await readAnswer(answer.stream(), rowsMax, bytesMax);
  } catch (error) {
    const failure = storeErrorOf(error);
    if (failure.code === "store_unavailable") throw failure;
    return refuse("sql_failed", failure.message);
  }
}

/** `break` ends the query at the limit instead of failing. One row more than wanted shows that there are more. */
function engineLimits(limits: SqlLimits, rowsMax: number, bytesMax: number): ClickHouseSettings {
  const memory = String(limits.memoryMaxBytes ?? 1024 ** 3);
  return {
    readonly: "2",
    max_execution_time: limits.runMaxSeconds ?? 30,
    max_result_rows: String(rowsMax + 1),
    // Ours, counted on the JSON text, is always the first to cut.
    max_result_bytes: String(bytesMax * 16),
    result_overflow_mode: "break",
    max_memory_usage: memory,
    max_block_size: "8192",
    max_recursive_cte_evaluation_depth: "100",
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_denormals: 1,
  };
}

type Lines = AsyncIterable<readonly { readonly text: string }[]>;

async function readAnswer(lines: Lines, rowsMax: number, bytesMax: number): Promise<SqlAnswer> {
  const heads: string[][] = [];
  const rows: unknown[][] = [];
  let bytes = 0;
  for await (const chunk of lines) {
    for (const { text } of chunk) {
      if (heads.length < 2) {
        heads.push(JSON.parse(text) as string[]);
        continue;
      }
      bytes += Buffer.byteLength(text);
      if (rows.length >= rowsMax) return { ok: true, columns: columnsOf(heads), rows, cut: "rows" };
      if (bytes > bytesMax) return { ok: true, columns: columnsOf(heads), rows, cut: "bytes" };
      rows.push(JSON.parse(text) as unknown[]);
    }
  }
  return { ok: true, columns: columnsOf(heads), rows, cut: undefined };
}

function columnsOf(heads: readonly (readonly string[])[]): { name: string; type: string }[] {
  return (heads[0] ?? []).map((name, at) => ({ name, type: heads[1]?.[at] ?? "" }));
}
