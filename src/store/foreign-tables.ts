/**
 * Another schema is dropped and made anew from the journal, with whatever else is in the database.
 * So ours must be ours alone: `--store` may name the database of somebody else by mistake.
 */
import type { ClickHouseClient } from "@clickhouse/client";
import { TABLES, VIEWS } from "./schema.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";

const ANSWER_MS_MAX = 10_000;
const NAMES_MAX = 5;

/** Tables that an older schema had and this one has not belong here too. */
const own: ReadonlySet<string> = new Set([...Object.keys(TABLES), ...Object.keys(VIEWS)]);

/** Throws `store_foreign`; `store_unavailable` and `store_failed` when it could not be asked. */
export async function refuseForeignTables(client: ClickHouseClient): Promise<void> {
  const foreign = (await tablesOf(client)).filter(
    (name) => !own.has(name) && !/^schema_\d+$/.test(name),
  );
  if (foreign.length === 0) return;
  const rest = foreign.length > NAMES_MAX ? ` and ${foreign.length - NAMES_MAX} more` : "";
  const names = foreign.slice(0, NAMES_MAX).join(" ");
  throw new StoreError(
    "store_foreign",
    `the database of --store holds other tables, ${names}${rest}, create one for Tallystick alone and name it in the URL`,
  );
}

async function tablesOf(client: ClickHouseClient): Promise<string[]> {
  try {
    const answer = await client.query({
      query: "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name",
      format: "JSONEachRow",
      abort_signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return (await answer.json<{ name: string }>()).map(({ name }) => name);
  } catch (error) {
    throw storeErrorOf(error);
  }
}
