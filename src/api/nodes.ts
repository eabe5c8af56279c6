/** Nodes, those that wait to be let in, and what can be changed of one. */
import { type Static, Type } from "typebox";
import type { RouteTable } from "./route.ts";
import { exact, MaybeTime, Time } from "./schema.ts";

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
export type Node = Static<typeof Node>;

export const WaitingNode = Type.Object({
  id: Type.String(),
  name: Type.String(),
  address: Type.String({ description: "where it asked from" }),
  asked_at: Time,
  enrolment_key: Type.String(),
  public_key: Type.String({ description: "base64url of 32 bytes" }),
});
export type WaitingNode = Static<typeof WaitingNode>;

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

const Id = Type.Object({
  id: Type.String({
    description:
      "a node's name, its id, or the first 6 digits and more of it where no other id begins so; of several with one name the active one",
  }),
});

const WaitingId = Type.Object({
  id: Type.String({
    maxLength: 63,
    description: "its id, or a name that no other waiting node has",
  }),
});

export const NODE_ROUTES = {
  "GET /nodes": { summary: "All nodes", answer: Type.Object({ items: Type.Array(Node) }) },
  "GET /nodes/waiting": {
    summary: "Nodes that asked to join and wait to be let in, the longest waiting first",
    answer: Type.Object({ items: Type.Array(WaitingNode) }),
  },
  "POST /nodes/waiting/{id}/approve": {
    summary: "Lets a waiting node in",
    params: WaitingId,
    answer: Node,
  },
  "POST /nodes/waiting/{id}/reject": {
    summary: "Turns a waiting node away; it may ask again",
    params: WaitingId,
    answer: WaitingNode,
  },
  "GET /nodes/{id}": { summary: "One node", params: Id, answer: Node },
  "PATCH /nodes/{id}": {
    summary: "Changes what people call a node, whose it is, and its tags",
    params: Id,
    body: NodeChange,
    answer: Node,
  },
  "POST /nodes/{id}/revoke": {
    summary: "Refuses the node's key from now on; its history stays",
    params: Id,
    answer: Node,
  },
} as const satisfies RouteTable;
