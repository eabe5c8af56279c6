/** One finding by its id, as the API answers it, and what people decided about it. */
import type { Proposals } from "../control/proposals.ts";
import type { Ruling } from "../format/entry.ts";
import { rulingEndMs } from "../format/finding-state.ts";
import { FINDING_LISTING } from "./query/connection-list.ts";
import type { Row, StoreReader } from "./query/store-reader.ts";
import type { RuledFinding } from "./rulings.ts";
import type { Finding, RulingSaid } from "../api/findings.ts";
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

/** With what waits for a second person. */
export function withProposal<R extends Row>(row: R, proposals: Pick<Proposals, "get">) {
  const proposal = proposals.get(String(row["id"]));
  if (proposal === undefined) return { ...row, proposal: null };
  const { ruling, reason, userName: by, atMs, expiresAtMs } = proposal;
  const until = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
  return { ...row, proposal: { time: new Date(atMs).toISOString(), by, ruling, reason, until } };
}

/** As the API answers it: the columns of a finding are those of its schema, which the description's test compares. */
export function findingAnswer(row: RuledFinding, proposals: Pick<Proposals, "get">): Finding {
  return withProposal(row, proposals) as Finding;
}

/** Of all that people decided about one finding, the last so many. */
const RULINGS_MAX = 100;

interface RulingRow {
  readonly atMs: number;
  readonly actor: string;
  readonly ruling: Ruling;
  readonly reason: string;
  readonly expiresAtMs: number;
}

/** What people decided about it, in the order of the journal. Throws the errors of the store. */
export async function findRulings(store: StoreReader, id: string): Promise<RulingSaid[]> {
  const rows = await store.rows<RulingRow>({
    text: `SELECT toUnixTimestamp64Milli(time) AS atMs, JSONExtractString(attributes, 'actor') AS actor,
        JSONExtractString(attributes, 'ruling') AS ruling, JSONExtractString(attributes, 'reason') AS reason,
        JSONExtractInt(attributes, 'expiresAtMs') AS expiresAtMs
      FROM log_rows WHERE kind = 'ruling' AND JSONExtractString(attributes, 'finding') = {id:String}
      ORDER BY journal_index DESC, seq DESC LIMIT ${RULINGS_MAX}`,
    params: { id },
  });
  return rows.toReversed().map(({ atMs, actor, ruling, reason, expiresAtMs }) => {
    const endMs = rulingEndMs({ ruling, atMs, ...(expiresAtMs === 0 ? {} : { expiresAtMs }) });
    const until = endMs === 0 ? null : new Date(endMs).toISOString();
    return { time: new Date(atMs).toISOString(), by: actor, ruling, reason, until };
  });
}
