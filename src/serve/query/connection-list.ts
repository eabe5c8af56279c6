/** Listing connections and findings: their columns, and what they can be filtered by. */
import { CONNECTIONS } from "../../query/catalogues/connections.ts";
import { findingCatalogue } from "../../query/catalogues/findings.ts";
import { CONNECTION_KEY } from "../../store/schema.ts";
import { FINDING_KINDS } from "../../api/finding-kinds.ts";
import type { Condition, Listing } from "./list-statement.ts";

export const CONNECTION_LISTING: Listing = {
  view: "connection_latest",
  versions: { view: "connection_versions", key: CONNECTION_KEY },
  catalogue: CONNECTIONS,
  columns: [
    "network",
    "opened_at",
    "closed_at",
    "proto",
    "initiator_ip",
    "initiator_port",
    "responder_ip",
    "responder_port",
    "initiator_node",
    "responder_node",
    "verdict",
    "excuse",
    "initiator_bytes",
    "responder_bytes",
    "initiator_packets",
    "responder_packets",
    "end_state",
    "counters",
    "connection_id",
    "community_id",
    "updated_index",
  ],
  timeColumn: "opened_at",
  idColumn: "connection_id",
  indexColumn: "updated_index",
  // A connection carries the end of the range that changed it.
  lastIndex: (committed) => committed,
};

export const FINDING_LISTING: Listing = {
  view: "findings",
  catalogue: findingCatalogue(FINDING_KINDS),
  columns: [
    "time",
    "kind",
    "severity",
    "state",
    "node",
    "connection_id",
    "title",
    "evidence",
    "id",
    "reason",
    "ruled_by",
    "ruled_until",
    "journal_index",
  ],
  timeColumn: "time",
  idColumn: "id",
  indexColumn: "journal_index",
  // A finding carries the index of its record.
  lastIndex: (committed) => committed - 1,
};

export interface ConnectionFilters {
  readonly node?: string;
  readonly verdict?: readonly string[];
}

export function connectionConditions({ node, verdict }: ConnectionFilters): Condition[] {
  return [
    ...(node === undefined
      ? []
      : [
          {
            sql: "initiator_node = {node:String} OR responder_node = {node:String}",
            params: { node },
          },
        ]),
    ...oneOf("verdict", verdict),
  ];
}

export interface FindingFilters {
  readonly node?: string;
  /** Of all nodes that have, or had, the name. */
  readonly nodeIds?: readonly string[];
  readonly kind?: readonly string[];
  readonly severity?: readonly string[];
  readonly state?: readonly string[];
}

export function findingConditions(filters: FindingFilters): Condition[] {
  const { node, nodeIds = [], kind, severity, state } = filters;
  return [
    ...(node === undefined ? [] : [involves(node, nodeIds)]),
    ...oneOf("kind", kind),
    ...oneOf("severity", severity),
    ...oneOf("state", state),
  ];
}

/**
 * A finding is about one node at most, and about two it names neither. Both ends, forwarders,
 * witnesses, peers and claimants stand in its evidence by their ids, wherever in it.
 */
function involves(node: string, nodeIds: readonly string[]): Condition {
  return {
    sql: "node = {node:String} OR arrayExists(quoted -> position(evidence, quoted) > 0, {node_ids:Array(String)})",
    params: { node, node_ids: nodeIds.map((id) => JSON.stringify(id)) },
  };
}

function oneOf(
  column: "verdict" | "kind" | "severity" | "state",
  values: readonly string[] | undefined,
): Condition[] {
  if (values === undefined || values.length === 0) return [];
  return [
    { sql: `toString(${column}) IN {${column}:Array(String)}`, params: { [column]: values } },
  ];
}
