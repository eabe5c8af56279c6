/** What a restart needs of a finding that was concluded before it. */
import type { FindingEntry } from "../../format/entry.ts";
import type { StoredFinding } from "../node/server-memory.ts";

/** What a finding's evidence says of two nodes; one that counts many says how many. */
interface ToldEvidence {
  readonly nodes?: readonly [string, string];
  readonly atMs?: number;
  readonly missing?: { readonly node: string };
  readonly count?: number;
  readonly forwarders?: readonly { readonly node: string }[];
}

/** Of a finding or its row, what outlives a restart. */
export function storedFinding(
  found: Pick<FindingEntry, "id" | "state" | "finding" | "connection" | "evidence">,
): StoredFinding {
  const { id, state, finding: kind, connection } = found;
  if (kind === "accused") {
    const { count = 0 } = found.evidence as ToldEvidence;
    return { id, state, revision: count };
  }
  if (kind !== "missing-half" && kind !== "counters-differ") return { id, state, revision: 0 };
  const { nodes, atMs = 0, missing, count = 0, forwarders } = found.evidence as ToldEvidence;
  if (connection === "" || nodes === undefined) return { id, state, revision: count };
  if (state !== "open") return { id, state, revision: 0 };
  const lacks = missing === undefined ? {} : { lacks: missing.node };
  const through =
    forwarders === undefined ? {} : { forwarders: forwarders.map(({ node }) => node) };
  return { id, state, revision: 0, mismatch: { id, kind, nodes, atMs, ...lacks, ...through } };
}
