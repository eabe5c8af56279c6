/** What can be asked of a topic, and what its fields hold; for whoever writes queries. */
import { type Static, Type } from "typebox";
import { FIELD_TYPES } from "../query/catalogue.ts";
import { QUERY_CHARS_MAX } from "../query/limits.ts";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

export const VALUES_DEFAULT = 20;
const VALUES_MAX = 200;
/** Who names no time wants what is met now. */
export const VALUES_SINCE_DEFAULT = "24h";

export const Fields = Type.Object({
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
export type Fields = Static<typeof Fields>;

const ValueQuery = Type.Object(
  {
    field: Type.String({ minLength: 1, maxLength: 64 }),
    prefix: Type.Optional(Type.String({ maxLength: 128, description: "in any case" })),
    since: Type.Optional(
      Type.String({ maxLength: 40, description: `default ${VALUES_SINCE_DEFAULT}` }),
    ),
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

const Values = Type.Object({ items: Type.Array(Type.String()) });

const fieldsOf = (topic: string) =>
  ({ summary: `What can be asked of ${topic}`, answer: Fields }) as const;
const values = {
  summary: "What a field holds, most frequent first; for completion",
  query: ValueQuery,
  answer: Values,
} as const;

export const FIELD_ROUTES = {
  "GET /connections/fields": fieldsOf("connections"),
  "GET /connections/values": values,
  "GET /findings/fields": fieldsOf("findings"),
  "GET /findings/values": values,
  "GET /audit/fields": fieldsOf("audit"),
  "GET /audit/values": values,
} as const satisfies RouteTable;
