/** `/api/v1/connections`, `/api/v1/findings`: filtered, paged by cursor, followed by cursor. */
import { type Static, Type } from "typebox";
import { reads } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { findFinding, findRulings, withEvidence, withProposal } from "../find-finding.ts";
import {
  CONNECTION_LISTING,
  connectionConditions,
  FINDING_LISTING,
  findingConditions,
} from "../query/connection-list.ts";
import type { Condition, Listing, Page } from "../query/list-statement.ts";
import { findingIdOf, ID_DESCRIPTION } from "../query/id-prefix.ts";
import { readHistogram } from "../query/histogram.ts";
import { readPage } from "../query/read-page.ts";
import { whereConditions } from "../query/where.ts";
import { checkNodeFilter } from "../query/node-filter.ts";
import { statementOf } from "../query/store-reader.ts";
import {
  Connection,
  ConnectionQuery,
  Finding,
  FindingInFull,
  FindingQuery,
  HistogramAnswer,
  HistogramQuery,
} from "../schemas.ts";

const ROWS_DEFAULT = 100;

/** Where the store itself says that it stands; what the deriving thread reports is older. */
const CURSOR = statementOf("SELECT max(next_index) AS committed FROM derive_cursor");

interface ListQuery {
  readonly node?: string;
  readonly since?: string;
  readonly until?: string;
  readonly where?: string;
  readonly cursor?: string;
  readonly follow?: string;
  readonly limit?: number;
}

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
    ({ query }) => list(parts, CONNECTION_LISTING, query, connectionConditions(query)),
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
    async ({ query }) => {
      const named = parts.control.nodes.list().filter(({ name }) => name === query.node);
      const conditions = findingConditions({ ...query, nodeIds: named.map(({ id }) => id) });
      const page = await list(parts, FINDING_LISTING, query, conditions);
      return {
        ...page,
        items: page.items.map((item) => withProposal(withEvidence(item), parts.control.proposals)),
      };
    },
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

async function list(
  parts: ApiParts,
  listing: Listing,
  query: ListQuery,
  conditions: readonly Condition[],
): Promise<Page> {
  const nowMs = parts.clock.nowMs();
  const asked = whereConditions(query.where, listing.catalogue, nowMs);
  checkNodeFilter(query.node, parts.control.nodes.list());
  const request = { ...query, limit: query.limit ?? ROWS_DEFAULT };
  // Asked first: what is below it is there for whatever is asked afterwards.
  const [cursor] = await parts.store.rows<{ committed: number }>(CURSOR);
  const context = { nowMs, committed: cursor?.committed ?? 0 };
  const all = [...conditions, ...asked];
  return readPage(parts.store, { listing, request, conditions: all, context });
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

function pageSchema<Item extends typeof Connection | typeof Finding>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    next: Type.Optional(Type.String({ description: "pass as `cursor` for older rows" })),
    follow: Type.String({ description: "pass as `follow` for what changed since" }),
  });
}
