/** `/api/v1/connections`, `/api/v1/findings`: filtered, paged by cursor, followed by cursor. */
import { type Static, Type } from "typebox";
import { reads } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { findFinding, findRulings, withProposal } from "../find-finding.ts";
import { CONNECTION_LISTING, connectionConditions } from "../query/connection-list.ts";
import type { Page } from "../query/list-statement.ts";
import { findingIdOf, ID_DESCRIPTION } from "../query/id-prefix.ts";
import { readHistogram } from "../query/histogram.ts";
import { listPage, type ListQuery as PageQuery } from "../query/list-page.ts";
import { whereConditions } from "../query/where.ts";
import { checkNodeFilter } from "../query/node-filter.ts";
import { type Topic, type TopicFilters, TOPICS } from "../query/topics.ts";
import {
  Connection,
  ConnectionQuery,
  HistogramAnswer,
  HistogramQuery,
} from "../../api/connections.ts";
import { Finding, FindingInFull, FindingQuery } from "../../api/findings.ts";
import { pageSchema } from "../../api/list.ts";

type ListQuery = PageQuery & TopicFilters;

export function listRoutes(app: Api, parts: ApiParts): void {
  app.get(
    "/connections",
    {
      config: reads("connections.read", "connections.read"),
      schema: {
        summary: "Connections, newest first",
        querystring: ConnectionQuery,
        response: { 200: pageSchema(Connection) },
      },
    },
    ({ query }) => list(parts, TOPICS.connections, query),
  );

  app.get(
    "/connections/histogram",
    {
      config: reads("connections.read", "connections.read"),
      schema: {
        summary: "How many connections began when, by verdict",
        querystring: HistogramQuery,
        response: { 200: HistogramAnswer },
      },
    },
    async ({ query }) => histogram(parts, query),
  );

  app.get(
    "/findings",
    {
      config: reads("findings.read", "findings.read"),
      schema: {
        summary: "Findings, newest first",
        querystring: FindingQuery,
        response: { 200: pageSchema(Finding) },
      },
    },
    ({ query }) => list(parts, TOPICS.findings, query),
  );

  app.get(
    "/findings/:id",
    {
      config: reads("findings.read", "finding.read"),
      schema: {
        summary: "One finding with its evidence, and what people decided about it",
        params: Type.Object({ id: Type.String({ description: ID_DESCRIPTION }) }),
        response: { 200: FindingInFull },
      },
    },
    async ({ params }) => {
      const id = await findingIdOf(parts.store, params.id);
      const finding = await findFinding(parts.store, id);
      const rulings = await findRulings(parts.store, id);
      return { ...withProposal(finding, parts.control.proposals), rulings };
    },
  );
}

async function list(parts: ApiParts, topic: Topic, query: ListQuery): Promise<Page> {
  const conditions = topic.conditions(query, parts.control.nodes.list());
  const asOf = { ...parts, nowMs: parts.clock.nowMs() };
  const page = await listPage(asOf, topic.listing, query, conditions);
  return { ...page, items: page.items.map((row) => topic.itemOf(row, parts.control.proposals)) };
}

const PARTS_DEFAULT = 120;

async function histogram(
  parts: ApiParts,
  query: Static<typeof HistogramQuery>,
): Promise<Static<typeof HistogramAnswer>> {
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
