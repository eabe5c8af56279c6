/**
 * Another schema is dropped and made anew from the journal, with whatever else is in the database.
 * So ours must be ours alone: `--store` may name the database of somebody else by mistake.
 */
import type { ClickHouseClient } from "@clickhouse/client";
import { TABLES, VIEWS } from "./schema.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";

const ANSWER_MS_MAX = 10_000;
const NAMES_MAX = 5;

/** Made before any other table, so that a database with half of ours is known to be ours. */
export const OWNER_TABLE = "tallystick_store";
const SCHEMA_TABLE = /^schema_\d+$/;
/** Tables that an older schema had and this one has not belong here too. */
const own: ReadonlySet<string> = new Set([
  OWNER_TABLE,
  ...Object.keys(TABLES),
  ...Object.keys(VIEWS),
]);

/** Whether a table of this name is made by us, in a database that is ours. */
export function isOwnTable(name: string): boolean {
  return own.has(name) || SCHEMA_TABLE.test(name);
}

/** Throws `store_foreign`; `store_unavailable` and `store_failed` when it could not be asked. */
export async function refuseForeignTables(client: ClickHouseClient): Promise<void> {
  const tables = await tablesOf(client);
  // Names alone prove nothing: others have tables called `logs` too.
  const isOurs = tables.some(
    ({ name, engine }) => engine === "Memory" && (name === OWNER_TABLE || SCHEMA_TABLE.test(name)),
  );
  const all = tables.map(({ name }) => name);
  const foreign = isOurs ? all.filter((name) => !isOwnTable(name)) : all;
  if (foreign.length === 0) return;
  const rest = foreign.length > NAMES_MAX ? ` and ${foreign.length - NAMES_MAX} more` : "";
  const names = foreign.slice(0, NAMES_MAX).join(" ");
  throw new StoreError(
    "store_foreign",
    `the database of --store holds other tables, ${names}${rest}, create one for Tallystick alone and name it in the URL`,
  );
}

interface Table {
  readonly name: string;
  readonly engine: string;
}

async function tablesOf(client: ClickHouseClient): Promise<Table[]> {
  try {
    const answer = await client.query({
      query:
        "SELECT name, engine FROM system.tables WHERE database = currentDatabase() ORDER BY name",
      format: "JSONEachRow",
      abort_signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return await answer.json<Table>();
  } catch (error) {
    throw storeErrorOf(error);
  }
}
