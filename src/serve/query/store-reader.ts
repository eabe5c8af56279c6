/** The store as the API sees it: rows for bound parameters, and users' SQL behind its guard. */
import {
  type ClickHouseClient,
  ClickHouseError,
  type ClickHouseSettings,
} from "@clickhouse/client";
import { guard } from "../../store/sql-guard.ts";
import { runChecked, type SqlAnswer } from "../../store/sql-run.ts";
import type { SqlRefusal } from "../../store/sql-guard.ts";
import { VIEWS } from "../../store/schema.ts";
import { StoreError, storeErrorOf } from "../../store/store-error.ts";

export interface Statement {
  readonly text: string;
  /** Values for `{name:Type}`: the only way by which a request's values reach the store. */
  readonly params: Readonly<Record<string, unknown>>;
}

export type Row = Readonly<Record<string, unknown>>;

/** How much of an answer, and of the tables. */
export interface SqlAsked {
  readonly rowsMax: number;
  /** Also who read what. */
  readonly readsToo: boolean;
}

export interface StoreReader {
  /** Throws `StoreError`: `store_unavailable` or `store_failed`. */
  rows<R = Row>(statement: Statement): Promise<R[]>;
  /** Throws `store_unavailable`. */
  sql(text: string, asked: SqlAsked, signal: AbortSignal): Promise<SqlAnswer | SqlRefusal>;
}

/** A list page answers in well under a second; what takes this long has met a dead store. */
const ANSWER_MS_MAX = 10_000;

/** The engine's code. */
const UNKNOWN_TABLE = "60";

const settings: ClickHouseSettings = {
  max_execution_time: 8,
  max_memory_usage: String(1024 ** 3),
  date_time_output_format: "iso",
  // Counters and sizes stay below 2^53; numbers are what a reader of JSON expects.
  output_format_json_quote_64bit_integers: 0,
};

const allTables: ReadonlySet<string> = new Set(Object.keys(VIEWS));
/** Who read what is not for everybody who asks. */
const publicTables: ReadonlySet<string> = new Set(
  [...allTables].filter((name) => name !== "audit"),
);

/** `client` is asked for each time: undefined while there is no store. */
export function storeReader(client: () => ClickHouseClient | undefined): StoreReader {
  const opened = (): ClickHouseClient => {
    const open = client();
    if (open !== undefined) return open;
    throw new StoreError("store_unavailable", "the store is not open yet");
  };
  return {
    rows: (statement) => selectRows(opened(), statement),
    sql: async (text, asked, signal) => {
      const open = opened();
      const checked = await guard(open, text, asked.readsToo ? allTables : publicTables);
      return checked.ok ? runChecked(open, checked, asked, signal) : checked;
    },
  };
}

async function selectRows<R>(client: ClickHouseClient, { text, params }: Statement): Promise<R[]> {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const answer = await client.query({
      query: text,
      query_params: params,
      format: "JSONEachRow",
      clickhouse_settings: settings,
      abort_signal: late,
    });
    return await answer.json<R>();
  } catch (error) {
    if (late.aborted) throw new StoreError("store_unavailable", "the store did not answer in time");
    // Our own statements name what there is, once it is there.
    if (error instanceof ClickHouseError && error.code === UNKNOWN_TABLE) {
      throw new StoreError("store_unavailable", "the store's tables are being made", {
        cause: error,
      });
    }
    throw storeErrorOf(error);
  }
}

/** A statement without values. */
export function statementOf(text: string): Statement {
  return { text, params: {} };
}

const COMMITTED = statementOf("SELECT max(next_index) AS committed FROM derive_cursor");

/** Where the store itself says that it stands; what the deriving thread reports is older. Throws `StoreError`. */
export async function committedIn(store: Pick<StoreReader, "rows">): Promise<number> {
  const [row] = await store.rows<{ committed: number }>(COMMITTED);
  return row?.committed ?? 0;
}
