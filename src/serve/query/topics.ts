/** What is listed and watched: how a request's filters become conditions, and rows become items. */
import type { ControlNode } from "../../control/node-table.ts";
import type { Proposals } from "../../control/proposals.ts";
import { withEvidence, withProposal } from "../find-finding.ts";
import {
  CONNECTION_LISTING,
  connectionConditions,
  FINDING_LISTING,
  findingConditions,
} from "./connection-list.ts";
import type { Condition, Listing } from "./list-statement.ts";
import type { Row } from "./store-reader.ts";

export type TopicName = "connections" | "findings";

/** Filters of both; those of the other are not asked for. */
export interface TopicFilters {
  readonly node?: string;
  readonly verdict?: readonly string[];
  readonly kind?: readonly string[];
  readonly severity?: readonly string[];
  readonly state?: readonly string[];
}

export interface Topic {
  readonly listing: Listing;
  /** Of one of them: an event's name. */
  readonly item: "connection" | "finding";
  conditions(filters: TopicFilters, nodes: readonly ControlNode[]): Condition[];
  /** As the API answers it. */
  itemOf(row: Row, proposals: Pick<Proposals, "get">): Row;
}

export const TOPICS: Readonly<Record<TopicName, Topic>> = {
  connections: {
    listing: CONNECTION_LISTING,
    item: "connection",
    conditions: (filters) => connectionConditions(filters),
    itemOf: (row) => row,
  },
  findings: {
    listing: FINDING_LISTING,
    item: "finding",
    conditions(filters, nodes) {
      const named = nodes.filter(({ name }) => name === filters.node);
      return findingConditions({ ...filters, nodeIds: named.map(({ id }) => id) });
    },
    itemOf: (row, proposals) => withProposal(withEvidence(row), proposals),
  },
};
