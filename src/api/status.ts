/** The state of everything; coverage first, because it says how much the rest is worth. */
import { type Static, Type } from "typebox";
import { Node } from "./nodes.ts";
import type { RouteTable } from "./route.ts";
import { Time } from "./schema.ts";

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
export type Share = Static<typeof Share>;

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
export type CoverageSpan = Static<typeof CoverageSpan>;

const MaybeSpan = Type.Union([Type.Null(), CoverageSpan], {
  description: "null: not counted yet, or the store does not answer",
});

export const Coverage = Type.Object({ hour: MaybeSpan, day: MaybeSpan });
export type Coverage = Static<typeof Coverage>;

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
export type Status = Static<typeof Status>;

export const STATUS_ROUTES = {
  "GET /status": { summary: "The state of everything", answer: Status },
} as const satisfies RouteTable;
