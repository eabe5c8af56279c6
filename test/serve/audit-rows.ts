/** Audit entries as the store shows them, once it has all that was done before. */
import assert from "node:assert/strict";
import type { ServerProcess } from "./server-process.ts";

export interface AuditRow {
  readonly actor_id: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly origin: string;
  readonly outcome: string;
  readonly code: string;
  readonly changes: string;
  readonly facts: string;
}

let markers = 0;

/** In the order of the journal; `where` is SQL over the table `audit`. */
export async function auditRows(server: ServerProcess, where: string): Promise<AuditRow[]> {
  const marker = `marker-${++markers}`;
  assert.equal((await server.call("POST", `/api/v1/nodes/${marker}/revoke`)).status, 404);
  const last = `SELECT count() FROM audit WHERE target = '${marker}'`;
  await server.until(
    () => rowsOf(server, last),
    ([row]) => Number(row?.["count()"]) > 0,
  );
  const rows = await rowsOf(server, `SELECT * FROM audit WHERE ${where} ORDER BY journal_index`);
  return rows as unknown as AuditRow[];
}

async function rowsOf(server: ServerProcess, sql: string): Promise<Record<string, unknown>[]> {
  const { body } = await server.call<{ columns: { name: string }[]; rows: unknown[][] }>(
    "POST",
    "/api/v1/sql",
    { sql },
  );
  const names = (body.columns ?? []).map(({ name }) => name);
  return (body.rows ?? []).map((row) =>
    Object.fromEntries(names.map((name, at) => [name, row[at]])),
  );
}
