/** Enrolment keys. */
import { type Static, Type } from "typebox";
import type { RouteTable } from "./route.ts";
import { exact, MaybeTime, shownOnce, Time } from "./schema.ts";

export const Key = Type.Object({
  id: Type.String(),
  state: Type.Enum(["usable", "spent", "expired", "revoked"]),
  reusable: Type.Boolean(),
  needs_approval: Type.Boolean({ description: "a node that joins by it waits until it is let in" }),
  tags: Type.Array(Type.String()),
  uses: Type.Integer(),
  created_at: Time,
  created_by: Type.String({ description: "name of who made it" }),
  expires_at: Time,
  revoked_at: MaybeTime,
});
export type Key = Static<typeof Key>;

export const NewKey = Type.Object(
  {
    reusable: Type.Optional(Type.Boolean()),
    needs_approval: Type.Optional(Type.Boolean()),
    ttl_ms: Type.Optional(Type.Integer({ description: "default 24 hours" })),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
  },
  exact,
);

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });
const CreatedKey = Type.Interface([Key], {
  key: shownOnce(Type.String(), "hand it to the node; shown once"),
});

export const KEY_ROUTES = {
  "POST /keys": {
    summary: "Makes an enrolment key",
    body: NewKey,
    status: 201,
    answer: CreatedKey,
  },
  "GET /keys": {
    summary: "All enrolment keys, newest first",
    answer: Type.Object({ items: Type.Array(Key) }),
  },
  "DELETE /keys/{id}": {
    summary: "Revokes a key; nodes that used it stay",
    params: Id,
    answer: Key,
  },
} as const satisfies RouteTable;
