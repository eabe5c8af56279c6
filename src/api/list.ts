/** What lists have in common: time range, place and size, and a page. */
import { type TSchema, Type } from "typebox";
import { QUERY_CHARS_MAX } from "../query/limits.ts";

/** A page of a list, and where it goes on. */
export function pageSchema<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    next: Type.Optional(Type.String({ description: "pass as `cursor` for older rows" })),
    follow: Type.String({ description: "pass as `follow` for what changed since" }),
  });
}

/** A list's time range, place and size. */
export const listFields = {
  since: Type.Optional(
    Type.String({
      maxLength: 40,
      description: "inclusive: ISO 8601, Unix ms, or a duration ago: 1h",
    }),
  ),
  until: Type.Optional(Type.String({ maxLength: 40, description: "exclusive, like since" })),
  node: Type.Optional(
    Type.String({
      maxLength: 63,
      description: "a node's name: connections with it, findings that involve it",
    }),
  ),
  where: Type.Optional(
    Type.String({ maxLength: QUERY_CHARS_MAX, description: "a query: docs/query.md" }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: "`next` of the page before" })),
  follow: Type.Optional(
    Type.String({ maxLength: 200, description: "`follow` of an answer before" }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: "default 100" })),
};
