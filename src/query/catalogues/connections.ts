/** What can be asked of connections: the columns of the view, and names for both ends at once. */
import { CONNECTION_STATES } from "../../format/entry.ts";
import { COUNTER_STATES, VERDICTS } from "../../format/verdict.ts";
import { type Catalogue, fieldsOf, type Row } from "../catalogue.ts";

export const CONNECTIONS: Catalogue = {
  rows: "connections",
  fields: fieldsOf({
    verdict: {
      type: "choice",
      values: VERDICTS,
      summary: "what the comparison says",
      sql: "toString(verdict)",
    },
    excuse: { type: "name", summary: "why a mismatch is harmless" },
    proto: { type: "name", summary: "tcp, udp, icmp …" },
    network: { type: "name", summary: "the network whose addresses these are" },
    opened_at: { type: "time", summary: "when it began" },
    closed_at: { type: "time", summary: "when it ended; without one it is open" },
    duration: {
      type: "number",
      unit: "duration",
      summary: "from beginning to end",
      sql: "toUnixTimestamp64Milli(closed_at) - toUnixTimestamp64Milli(opened_at)",
      read: durationOf,
    },
    initiator_node: { type: "name", summary: "the node that began it; empty: no node" },
    responder_node: { type: "name", summary: "the node that was called; empty: no node" },
    initiator_ip: { type: "address", summary: "address of who began it" },
    responder_ip: { type: "address", summary: "address of who was called" },
    initiator_port: { type: "number", summary: "port of who began it" },
    responder_port: { type: "number", summary: "port that was called" },
    initiator_bytes: { type: "number", unit: "bytes", summary: "sent by who began it" },
    responder_bytes: { type: "number", unit: "bytes", summary: "sent by who was called" },
    bytes: {
      type: "number",
      unit: "bytes",
      summary: "both directions together",
      sql: "initiator_bytes + responder_bytes",
      read: (row) => sumOf(row["initiator_bytes"], row["responder_bytes"]),
    },
    initiator_packets: { type: "number", summary: "sent by who began it" },
    responder_packets: { type: "number", summary: "sent by who was called" },
    end_state: { type: "choice", values: CONNECTION_STATES, summary: "how it stands or ended" },
    counters: {
      type: "choice",
      values: COUNTER_STATES,
      summary: "whether the counts are final",
      sql: "toString(counters)",
    },
    connection_id: { type: "name", summary: "its id; the beginning and a star will do" },
    community_id: { type: "name", summary: "its Community ID, as other tools print it" },
  }),
  groups: new Map([
    ["ip", { fields: ["initiator_ip", "responder_ip"], summary: "the address of either end" }],
    ["port", { fields: ["initiator_port", "responder_port"], summary: "the port of either end" }],
    ["node", { fields: ["initiator_node", "responder_node"], summary: "the node at either end" }],
  ]),
  bare: {
    text: ["initiator_node", "responder_node", "initiator_ip", "responder_ip", "network"],
    address: ["initiator_ip", "responder_ip"],
    number: ["initiator_port", "responder_port"],
    endpoints: [
      ["initiator_ip", "initiator_port"],
      ["responder_ip", "responder_port"],
    ],
  },
};

function durationOf({ opened_at: from, closed_at: to }: Row): number | null {
  return typeof from === "string" && typeof to === "string"
    ? Date.parse(to) - Date.parse(from)
    : null;
}

function sumOf(a: unknown, b: unknown): number {
  return Number(a) + Number(b);
}
