/** Schemas that several routes share. Names are those of the SQL columns. */
import { type TSchema, Type } from "typebox";
import { FINDING_STATES } from "../format/finding-state.ts";
import { VERDICTS } from "../format/verdict.ts";
import { QUERY_CHARS_MAX } from "../query/limits.ts";
import { FINDING_KINDS } from "./finding-kinds.ts";

const exact = { additionalProperties: false } as const;

export const Time = Type.String({ description: "ISO 8601, UTC, milliseconds" });
export const MaybeTime = Type.Union([Time, Type.Null()]);

/** A secret that is shown when it is made and never again: an answer that is repeated has null in its place. */
export function shownOnce<S extends TSchema>(schema: S, description: string) {
  return Type.Union([schema, Type.Null()], { description, [SHOWN_ONCE]: true });
}

/** Stands in a schema beside what no repeated answer has. */
export const SHOWN_ONCE = "x-shown-once";

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

export const FindingQuery = Type.Object(
  {
    ...listFields,
    kind: Type.Optional(Type.Array(Type.Enum([...FINDING_KINDS]), { maxItems: 32 })),
    severity: Type.Optional(
      Type.Array(Type.Enum(["low", "medium", "high", "critical"]), { maxItems: 4 }),
    ),
    state: Type.Optional(Type.Array(Type.Enum([...FINDING_STATES]), { maxItems: 4 })),
  },
  exact,
);

export const EventQuery = Type.Object(
  {
    topic: Type.Enum(["connections", "findings"]),
    until: listFields.until,
    node: listFields.node,
    where: listFields.where,
    verdict: ConnectionQuery.properties.verdict,
    kind: FindingQuery.properties.kind,
    severity: FindingQuery.properties.severity,
    state: FindingQuery.properties.state,
    last_event_id: Type.Optional(
      Type.String({
        maxLength: 200,
        description:
          "goes on after it: the `id` of the last event, or `follow` of a list; the header `Last-Event-ID` does the same",
      }),
    ),
  },
  exact,
);

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

export const RulingSaid = Type.Object({
  time: Time,
  by: Type.String(),
  ruling: Type.Enum(["excused", "acknowledged", "reopened"]),
  reason: Type.String(),
  until: Type.Union([Time, Type.Null()], { description: "when it ends by itself, if at all" }),
});

export const Finding = Type.Object({
  time: Time,
  kind: Type.String(),
  severity: Type.String(),
  state: Type.Enum([...FINDING_STATES]),
  node: Type.String(),
  connection_id: Type.String(),
  title: Type.String(),
  evidence: Type.Record(Type.String(), Type.Unknown()),
  id: Type.String(),
  reason: Type.String({ description: "of the ruling that holds, or reopened it; empty without" }),
  ruled_by: Type.String(),
  ruled_until: MaybeTime,
  proposal: Type.Union([Type.Null(), RulingSaid], {
    description:
      "what an owner of a node that it is about proposed, and a second person must confirm",
  }),
  journal_index: Type.Integer({ description: "of the record that changed it last" }),
});

export const FindingInFull = Type.Interface([Finding], {
  rulings: Type.Array(RulingSaid, { description: "what people decided about it, oldest first" }),
});

export const NODE_STATES = [
  "enrolled",
  "active",
  "blind",
  "silent",
  "stopped",
  "opted_out",
  "revoked",
  "unknown",
] as const;

export const Node = Type.Object({
  name: Type.String(),
  id: Type.String(),
  addresses: Type.Array(Type.String()),
  last_seen: MaybeTime,
  watermark: MaybeTime,
  lag_ms: Type.Union([Type.Integer(), Type.Null()]),
  state: Type.Enum([...NODE_STATES], {
    description:
      "enrolled: has not reported yet; blind: reports, but cannot prove that it sees its kernel's events; unknown: the store does not answer",
  }),
  clock_offset_ms: Type.Union([Type.Number(), Type.Null()], {
    description: "what its clock shows minus what the server's shows; null while unknown",
  }),
  clock_drift_ppm: Type.Union([Type.Number(), Type.Null()]),
  trust: Type.Union([Type.Number(), Type.Null()], {
    description:
      "share of its connections compared in 24 hours that nothing unexplained contradicts; accuses nobody",
  }),
  accused: Type.Union([Type.String(), Type.Null()], {
    description: "id of the finding that accuses it and that nobody excused; null: nobody does",
  }),
  received: Type.Union(
    [
      Type.Null(),
      Type.Object({
        from: Time,
        to: Time,
        interface_bytes: Type.Integer({ description: "by all interfaces, link headers included" }),
        connection_bytes: Type.Integer({
          description:
            "by TCP connections of 4 KiB and more that both ends have and that were over within that time",
        }),
      }),
    ],
    {
      description:
        "what it received by its own readings of its interfaces, in up to an hour; null before there are two that can be compared",
    },
  ),
  owner: Type.String({ description: "whose it is; empty: nobody said" }),
  tags: Type.Array(Type.String()),
  enrolled_at: Time,
  enrolment_key: Type.String(),
  public_key: Type.String({ description: "base64url of 32 bytes" }),
  revoked: Type.Union([
    Type.Null(),
    Type.Object({ at: Time, epoch: Type.Integer(), last_batch: Type.Integer() }),
  ]),
});

export const WaitingNode = Type.Object({
  id: Type.String(),
  name: Type.String(),
  address: Type.String({ description: "where it asked from" }),
  asked_at: Time,
  enrolment_key: Type.String(),
  public_key: Type.String({ description: "base64url of 32 bytes" }),
});
export const NodeChange = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 256 })),
    owner: Type.Optional(Type.String({ maxLength: 256, description: "empty: nobody" })),
    tags: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64, description: "all of them" }),
    ),
  },
  { ...exact, description: "what is left out stays" },
);

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

export const NewKey = Type.Object(
  {
    reusable: Type.Optional(Type.Boolean()),
    needs_approval: Type.Optional(Type.Boolean()),
    ttl_ms: Type.Optional(Type.Integer({ description: "default 24 hours" })),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
  },
  exact,
);

export const Share = Type.Object({
  connections: Type.Integer(),
  both_ends: Type.Integer({ description: "of those, recorded by both" }),
  share: Type.Union([Type.Number(), Type.Null()], { description: "0 to 1; null without any" }),
  between_nodes: Type.Object({
    connections: Type.Integer({ description: "without those whose other end is no node" }),
    share: Type.Union([Type.Number(), Type.Null()]),
  }),
  one_end_by_reason: Type.Record(Type.String(), Type.Integer(), {
    description: "excuses by name; pending, missing, unanswered, external",
  }),
});

const NamedShare = Type.Interface([Share], { name: Type.String() });

export const CoverageSpan = Type.Interface([Share], {
  from: Time,
  counted_at: Time,
  networks: Type.Array(NamedShare),
  nodes: Type.Array(NamedShare, { description: "also those without any connection" }),
  unmonitored_peers: Type.Array(
    Type.Object({
      network: Type.String(),
      address: Type.String(),
      connections: Type.Integer(),
      nodes: Type.Integer({
        description: "that talked to it; at least, where very many connections are counted",
      }),
    }),
    {
      description:
        "who to enrol next: the ten with the most connections whose address no node claims by now, without this server's own",
    },
  ),
});

const MaybeSpan = Type.Union([Type.Null(), CoverageSpan], {
  description: "null: not counted yet, or the store does not answer",
});

export const Coverage = Type.Object({ hour: MaybeSpan, day: MaybeSpan });

export const Status = Type.Object({
  coverage: Coverage,
  nodes: Type.Array(Node),
  journal: Type.Object({ records: Type.Integer() }),
  store: Type.Object({
    state: Type.Enum(["ok", "unavailable"]),
    records: Type.Integer(),
    lag_records: Type.Integer(),
  }),
  disk: Type.Object({
    free_bytes: Type.Integer(),
    total_bytes: Type.Integer(),
    reserved_bytes: Type.Integer({
      description: "kept for changes, sign-ins and the audit on a full disk; 64 MiB when whole",
    }),
    full: Type.Boolean({ description: "nodes are told to wait until there is room" }),
  }),
  findings: Type.Union([
    Type.Null(),
    Type.Object({
      open: Type.Integer(),
      open_by_severity: Type.Object({
        critical: Type.Integer(),
        high: Type.Integer(),
        medium: Type.Integer(),
        low: Type.Integer(),
      }),
      excused: Type.Integer(),
      acknowledged: Type.Integer(),
    }),
  ]),
  server_key: Type.String({ description: "what it signs with: base64url of 32 bytes" }),
  version: Type.String(),
  started_at: Time,
});

export const SqlRequest = Type.Object(
  {
    sql: Type.String({ maxLength: 65_536 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  },
  exact,
);

export const SqlResult = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Type.Unknown()), {
    description: "integers beyond 2^53 are texts, so that none is rounded",
  }),
  cut: Type.Union([Type.Null(), Type.Enum(["rows", "bytes"])]),
});
