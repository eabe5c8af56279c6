/**
 * Another schema is dropped and made anew from the journal, so a database elsewhere must be this
 * server's alone: `--store` may name the database of somebody else, or of another Tallystick server,
 * by mistake. Names prove nothing, others have tables called `logs` too: what is ours has a mark.
 */
import type { ClickHouseClient } from "@clickhouse/client";
import { LIST_VIEWS, TABLES, VIEWS } from "./schema.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";

const ANSWER_MS_MAX = 10_000;
const NAMES_MAX = 5;

/** The mark. Made before any other table, so that a database with half of ours is known to be ours. */
const OWNER_TABLE = "tallystick_store";
/** A mark too, of what was made before there was an owner. */
const SCHEMA_TABLE = /^schema_\d+$/;
/** Its comment names the server: rows of this engine would not survive a restart. */
const MARK = "(x UInt8) ENGINE = Memory";
const OWNER = /^server ([0-9a-f]{32})$/;

/** All versions of the schema had these; a name that one leaves out stays here. */
const own: ReadonlySet<string> = new Set([
  ...Object.keys(TABLES),
  ...Object.keys(VIEWS),
  ...Object.keys(LIST_VIEWS),
]);

/** Whether a table of this name is made anew with another schema, in a database that is ours. */
export function isDisposable(name: string): boolean {
  return own.has(name) || SCHEMA_TABLE.test(name);
}

/**
 * Makes an empty database ours, and knows it again. Throws `store_foreign`; `store_unavailable` and
 * `store_failed` when it could not be asked.
 */
export async function claimDatabase(
  client: ClickHouseClient,
  serverId: string,
  gone?: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  const signal = gone === undefined ? late : AbortSignal.any([late, gone]);
  try {
    const tables = await tablesOf(client, signal);
    refuseForeign(tables);
    const owner = ownerOf(tables);
    if (owner === undefined) await mark(client, tables, { serverId, signal });
    // Read again: two servers may have come at once.
    refuseOther(owner ?? ownerOf(await tablesOf(client, signal)), serverId);
  } catch (error) {
    throw storeErrorOf(error);
  }
}

interface Table {
  readonly name: string;
  readonly comment: string;
  readonly isMark: 0 | 1;
}

function refuseForeign(tables: readonly Table[]): void {
  const isOurs = tables.some((table) => isOwnMark(table));
  const foreign = tables.filter((table) => !isOurs || !(isOwnMark(table) || own.has(table.name)));
  if (foreign.length === 0) return;
  const rest = foreign.length > NAMES_MAX ? ` and ${foreign.length - NAMES_MAX} more` : "";
  const names = foreign
    .slice(0, NAMES_MAX)
    .map(({ name }) => name)
    .join(" ");
  throw new StoreError(
    "store_foreign",
    `the database of --store holds other tables, ${names}${rest}, create one for Tallystick alone and name it in the URL`,
  );
}

function refuseOther(owner: string | undefined, serverId: string): void {
  if (owner === undefined || owner === serverId) return;
  throw new StoreError(
    "store_foreign",
    `the database of --store belongs to another Tallystick server, ${owner}, create one for this server, or drop it if that server is no more`,
  );
}

function isOwnMark({ name, isMark }: Table): boolean {
  return isMark === 1 && (name === OWNER_TABLE || SCHEMA_TABLE.test(name));
}

/** Undefined in a database that no server has claimed yet. */
function ownerOf(tables: readonly Table[]): string | undefined {
  const comment = tables.find(({ name }) => name === OWNER_TABLE)?.comment ?? "";
  return OWNER.exec(comment)?.[1];
}

async function mark(
  client: ClickHouseClient,
  tables: readonly Table[],
  { serverId, signal }: { readonly serverId: string; readonly signal: AbortSignal },
): Promise<void> {
  const comment = `COMMENT 'server ${serverId}'`;
  const query = tables.some(({ name }) => name === OWNER_TABLE)
    ? `ALTER TABLE ${OWNER_TABLE} MODIFY ${comment}`
    : `CREATE TABLE IF NOT EXISTS ${OWNER_TABLE} ${MARK} ${comment}`;
  await client.command({ query, abort_signal: signal });
}

async function tablesOf(client: ClickHouseClient, signal: AbortSignal): Promise<Table[]> {
  const answer = await client.query({
    query: `SELECT name, comment, engine = 'Memory' AND name IN (
        SELECT table FROM system.columns WHERE database = currentDatabase()
        GROUP BY table HAVING groupArray(concat(system.columns.name, ' ', type)) = ['x UInt8']
      ) AS isMark
      FROM system.tables WHERE database = currentDatabase() ORDER BY name`,
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return answer.json<Table>();
}
