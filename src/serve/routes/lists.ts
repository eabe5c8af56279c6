/** `/api/v1/connections`, `/api/v1/findings`: filtered, paged by cursor, followed by cursor. */
import type { HistogramAnswer, HistogramQuery } from "../../api/connections.ts";
import type { Answer } from "../../api/routes.ts";
import { reads } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { findFinding, findingAnswer, findRulings } from "../find-finding.ts";
import { CONNECTION_LISTING, connectionConditions } from "../query/connection-list.ts";
import { readHistogram } from "../query/histogram.ts";
import { findingIdOf } from "../query/id-prefix.ts";
import { listPage, type ListQuery as PageQuery } from "../query/list-page.ts";
import { checkNodeFilter } from "../query/node-filter.ts";
import { type Topic, type TopicFilters, TOPICS } from "../query/topics.ts";
import { whereConditions } from "../query/where.ts";

type ListQuery = PageQuery & TopicFilters;

export function listRoutes(api: ApiScope, parts: ApiParts): void {
  api.route("GET /connections", reads("connections.read", "connections.read"), ({ query }) =>
    list<"GET /connections">(parts, TOPICS.connections, query),
  );

  api.route(
    "GET /connections/histogram",
    reads("connections.read", "connections.read"),
    async ({ query }) => histogram(parts, query),
  );

  api.route("GET /findings", reads("findings.read", "findings.read"), ({ query }) =>
    list<"GET /findings">(parts, TOPICS.findings, query),
  );

  api.route("GET /findings/{id}", reads("findings.read", "finding.read"), async ({ params }) => {
    const id = await findingIdOf(parts.store, params.id);
    const finding = await findFinding(parts.store, id);
    const rulings = await findRulings(parts.store, id);
    return { ...findingAnswer(finding, parts.control.proposals), rulings };
  });
}

/** The listing's columns are those of the schema, which the description's test compares. */
async function list<Name extends "GET /connections" | "GET /findings">(
  parts: ApiParts,
  topic: Topic,
  query: ListQuery,
): Promise<Answer<Name>> {
  const conditions = topic.conditions(query, parts.control.nodes.list());
  const asOf = { ...parts, nowMs: parts.clock.nowMs() };
  const page = await listPage(asOf, topic.listing, query, conditions);
  const items = page.items.map((row) => topic.itemOf(row, parts.control.proposals));
  return { ...page, items } as unknown as Answer<Name>;
}

const PARTS_DEFAULT = 120;

async function histogram(parts: ApiParts, query: HistogramQuery): Promise<HistogramAnswer> {
  const nowMs = parts.clock.nowMs();
  checkNodeFilter(query.node, parts.control.nodes.list());
  const conditions = [
    ...connectionConditions(query),
    ...whereConditions(query.where, CONNECTION_LISTING.catalogue, nowMs),
  ];
  const asked = { ...query, partsMax: query.parts ?? PARTS_DEFAULT };
  const counted = await readHistogram(parts.store, asked, conditions, { nowMs, committed: 0 });
  return {
    from: new Date(counted.fromMs).toISOString(),
    to: new Date(counted.toMs).toISOString(),
    step_ms: counted.stepMs,
    parts: counted.parts.map(({ atMs, counts }) => ({
      from: new Date(atMs).toISOString(),
      counts,
    })),
  };
}
