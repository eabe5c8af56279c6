/** Connections: what can be asked, one of them, and how many began when. */
import { type Static, Type } from "typebox";
import { VERDICTS } from "../format/verdict.ts";
import { listFields, pageSchema } from "./list.ts";
import type { RouteTable } from "./route.ts";
import { exact, MaybeTime, Time } from "./schema.ts";

export const ConnectionQuery = Type.Object(
  {
    ...listFields,
    verdict: Type.Optional(Type.Array(Type.Enum([...VERDICTS]), { maxItems: 16 })),
  },
  exact,
);

const { since, until, node, where } = listFields;

export const HistogramQuery = Type.Object(
  {
    since,
    until,
    node,
    where,
    verdict: Type.Optional(Type.Array(Type.Enum([...VERDICTS]), { maxItems: 16 })),
    parts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1e3,
        description: "at most so many; default 120",
      }),
    ),
  },
  exact,
);
export type HistogramQuery = Static<typeof HistogramQuery>;

export const HistogramAnswer = Type.Object({
  from: Time,
  to: Time,
  step_ms: Type.Integer({ description: "length of a part" }),
  parts: Type.Array(
    Type.Object({
      from: Time,
      counts: Type.Record(Type.String(), Type.Integer(), { description: "by verdict" }),
    }),
    { description: "those with at least one connection, oldest first" },
  ),
});
export type HistogramAnswer = Static<typeof HistogramAnswer>;

/** A column of SQL has no null either, so that sums need no exception. */
const Count = Type.Integer({
  description: "as told so far; 0 while nobody told any, which is a count only with counters final",
});

export const Connection = Type.Object({
  network: Type.String(),
  opened_at: Time,
  closed_at: MaybeTime,
  proto: Type.String(),
  initiator_ip: Type.String(),
  initiator_port: Type.Integer(),
  responder_ip: Type.String(),
  responder_port: Type.Integer(),
  initiator_node: Type.String({ description: "empty: no node" }),
  responder_node: Type.String({ description: "empty: no node" }),
  verdict: Type.Enum([...VERDICTS]),
  excuse: Type.String(),
  initiator_bytes: Count,
  responder_bytes: Count,
  initiator_packets: Count,
  responder_packets: Count,
  end_state: Type.String(),
  counters: Type.String({ description: "pending, final, or unavailable" }),
  connection_id: Type.String(),
  community_id: Type.String(),
  updated_index: Type.Integer(),
});
export type Connection = Static<typeof Connection>;

export const CONNECTION_ROUTES = {
  "GET /connections": {
    summary: "Connections, newest first",
    query: ConnectionQuery,
    answer: pageSchema(Connection),
  },
  "GET /connections/histogram": {
    summary: "How many connections began when, by verdict",
    query: HistogramQuery,
    answer: HistogramAnswer,
  },
} as const satisfies RouteTable;
