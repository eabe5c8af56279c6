/** One finding by its id, as the API answers it. */
import { FINDING_LISTING } from "./query/connection-list.ts";
import type { Row, StoreReader } from "./query/store-reader.ts";
import type { RuledFinding } from "./rulings.ts";
import { ServeError } from "./serve-error.ts";

/** `id` is whole. Throws `unknown_finding`, and the errors of the store. */
export async function findFinding(store: StoreReader, id: string): Promise<RuledFinding> {
  const text = `SELECT ${FINDING_LISTING.columns.join(", ")} FROM findings WHERE id = {id:String}`;
  const [row] = await store.rows<RuledFinding>({ text, params: { id } });
  if (row === undefined) throw new ServeError("unknown_finding", `no finding has the id ${id}`);
  return withEvidence(row);
}

/** The store keeps evidence as text; what it holds is the server's own JSON. */
export function withEvidence<R extends Row>(row: R): R {
  return { ...row, evidence: JSON.parse(String(row["evidence"])) as unknown };
}
