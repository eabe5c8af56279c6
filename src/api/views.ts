/** Saved views: what somebody looks at again and again, for themselves or for all. */
import { type Static, Type } from "typebox";
import { QUERY_CHARS_MAX } from "../query/limits.ts";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

export const VIEW_TOPICS = ["connections", "findings", "audit"] as const;
export type ViewTopic = (typeof VIEW_TOPICS)[number];

export const VIEW_SETTINGS_CHARS_MAX = 4_000;

const content = {
  name: Type.String({ minLength: 1, maxLength: 128, pattern: "\\S" }),
  topic: Type.Enum([...VIEW_TOPICS]),
  query: Type.String({ maxLength: QUERY_CHARS_MAX, description: "docs/query.md" }),
  settings: Type.Record(Type.String(), Type.Unknown(), {
    description: `columns, range and the like, as they were given; at most ${VIEW_SETTINGS_CHARS_MAX} characters of JSON`,
  }),
  shared: Type.Boolean({ description: "everybody sees it; its owner alone changes it" }),
};

export const View = Type.Object({
  id: Type.String(),
  ...content,
  owner: Type.String({ description: "name of whose it is" }),
  is_own: Type.Boolean(),
  created_at: Type.String(),
});
export type View = Static<typeof View>;
const NewView = Type.Object(
  { ...content, settings: Type.Optional(content.settings), shared: Type.Optional(content.shared) },
  exact,
);
const ViewUpdate = Type.Partial(Type.Object(content), exact);
const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

export const VIEW_ROUTES = {
  "GET /views": {
    summary: "Saved views: one's own, and those that are shared",
    answer: Type.Object({ items: Type.Array(View) }),
  },
  "POST /views": { summary: "Saves a view", body: NewView, status: 201, answer: View },
  "PATCH /views/{id}": {
    summary: "Changes one's own view",
    params: Id,
    body: ViewUpdate,
    answer: View,
  },
  "DELETE /views/{id}": { summary: "Removes one's own view", params: Id, answer: Type.Object({}) },
} as const satisfies RouteTable;
