/** `/api/v1/{topic}/fields` and `…/values`: what can be asked of a topic, and what its fields hold; for whoever writes queries. */
import { type Fields, VALUES_DEFAULT, VALUES_SINCE_DEFAULT } from "../../api/fields.ts";
import type { Catalogue } from "../../query/catalogue.ts";
import { reads, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { readValues } from "../query/field-values.ts";
import { LISTINGS } from "../query/listings.ts";
import { type Condition, type Listing, timeConditions } from "../query/list-statement.ts";
import { whereConditions } from "../query/where.ts";

const CHANGES_ONLY: Condition = { sql: "is_read = 0", params: {} };

const TOPICS = [
  { topic: "connections", permission: "connections.read", only: [] },
  { topic: "findings", permission: "findings.read", only: [] },
  // What others read is not for everybody who completes.
  { topic: "audit", permission: "changes.read", only: [CHANGES_ONLY] },
] as const;

export function fieldRoutes(api: ApiScope, { store, clock }: ApiParts): void {
  for (const { topic, permission, only } of TOPICS) {
    const listing: Listing = LISTINGS[topic];
    api.route(`GET /${topic}/fields` as const, unaudited(permission), () => ({
      items: described(listing.catalogue),
    }));

    // It belongs to the query that somebody writes.
    api.route(
      `GET /${topic}/values` as const,
      reads(permission, `${topic}.read`),
      async ({ query }) => {
        const nowMs = clock.nowMs();
        const {
          field: name,
          prefix = "",
          limit = VALUES_DEFAULT,
          since = VALUES_SINCE_DEFAULT,
        } = query;
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

function described({ fields, groups }: Catalogue): Fields["items"] {
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
