/** `/api/v1/fields`, `/api/v1/values`: what can be asked of a topic, and what its fields hold; for whoever writes queries. */
import { type Static, Type } from "typebox";
import { FIELD_TYPES, type Catalogue } from "../../query/catalogue.ts";
import { QUERY_CHARS_MAX } from "../../query/limits.ts";
import { reads, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { AUDIT_LISTING } from "../query/audit-list.ts";
import { CONNECTION_LISTING, FINDING_LISTING } from "../query/connection-list.ts";
import { readValues } from "../query/field-values.ts";
import { type Condition, type Listing, timeConditions } from "../query/list-statement.ts";
import { whereConditions } from "../query/where.ts";

const VALUES_DEFAULT = 20;
const VALUES_MAX = 200;
/** Who names no time wants what is met now. */
const SINCE_DEFAULT = "24h";
const exact = { additionalProperties: false } as const;

const Fields = Type.Object({
  items: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum([...FIELD_TYPES, "group"]),
      summary: Type.String(),
      values: Type.Optional(Type.Array(Type.String(), { description: "all that there are" })),
      fields: Type.Optional(Type.Array(Type.String(), { description: "of a group: one must fit" })),
    }),
  ),
});

const ValueQuery = Type.Object(
  {
    field: Type.String({ minLength: 1, maxLength: 64 }),
    prefix: Type.Optional(Type.String({ maxLength: 128, description: "in any case" })),
    since: Type.Optional(Type.String({ maxLength: 40, description: `default ${SINCE_DEFAULT}` })),
    until: Type.Optional(Type.String({ maxLength: 40 })),
    where: Type.Optional(
      Type.String({ maxLength: QUERY_CHARS_MAX, description: "a query: docs/query.md" }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: VALUES_MAX, description: `default ${VALUES_DEFAULT}` }),
    ),
  },
  exact,
);

const CHANGES_ONLY: Condition = { sql: "is_read = 0", params: {} };

const TOPICS = [
  { topic: "connections", permission: "connections.read", listing: CONNECTION_LISTING, only: [] },
  { topic: "findings", permission: "findings.read", listing: FINDING_LISTING, only: [] },
  // What others read is not for everybody who completes.
  { topic: "audit", permission: "changes.read", listing: AUDIT_LISTING, only: [CHANGES_ONLY] },
] as const;

export function fieldRoutes(app: Api, { store, clock }: ApiParts): void {
  for (const { topic, permission, listing, only } of TOPICS) {
    app.get(
      `/${topic}/fields`,
      {
        config: unaudited(permission),
        schema: { summary: `What can be asked of ${topic}`, response: { 200: Fields } },
      },
      () => ({ items: described(listing.catalogue) }),
    );

    app.get(
      `/${topic}/values`,
      {
        // It belongs to the query that somebody writes.
        config: reads(permission, `${topic}.read`),
        schema: {
          summary: "What a field holds, most frequent first; for completion",
          querystring: ValueQuery,
          response: { 200: Type.Object({ items: Type.Array(Type.String()) }) },
        },
      },
      async ({ query }) => {
        const nowMs = clock.nowMs();
        const { field: name, prefix = "", limit = VALUES_DEFAULT, since = SINCE_DEFAULT } = query;
        const { catalogue, timeColumn } = listing;
        const conditions = [
          ...only,
          ...timeConditions(timeColumn, { ...query, since }, nowMs),
          ...whereConditions(query.where, catalogue, nowMs),
        ];
        const view = viewOf(listing);
        const asked = { catalogue, view, name, prefix, conditions, valuesMax: limit };
        return { items: await readValues(store, asked) };
      },
    );
  }
}

function viewOf({ versions, view }: Listing): string {
  return versions?.view ?? view;
}

function described({ fields, groups }: Catalogue): Static<typeof Fields>["items"] {
  return [
    ...[...fields.values()].map(({ name, type, summary, values }) => ({
      name,
      type,
      summary,
      ...(values === undefined ? {} : { values: [...values] }),
    })),
    ...[...groups].map(([name, group]) => ({
      name,
      type: "group" as const,
      summary: group.summary,
      fields: [...group.fields],
    })),
  ];
}
