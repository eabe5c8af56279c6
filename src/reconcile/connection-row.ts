/** A connection as a row of the store, and back. */
import type { Counters, OpenEntry, Role } from "../format/entry.ts";
import { dayOf, type Columns, type RowBlocks } from "../store/row-blocks.ts";
import {
  COUNTER_STATES,
  HALF_FLAG,
  NO_HALF,
  ROLES,
  VERDICTS,
  type CounterState,
  type Verdict,
} from "../store/schema.ts";
import { Connection } from "./connection.ts";
import { Half, type HalfPlace } from "./half.ts";
import type { NodeStream } from "./node-stream.ts";

type ConnectionColumns = Columns<"connection_rows">;

const NO_COUNTERS: Counters = {
  initiatorPackets: 0,
  initiatorBytes: 0,
  responderPackets: 0,
  responderBytes: 0,
};
const NO_NODE = Buffer.alloc(16);
const VERDICT_CODE = codes(VERDICTS);
const COUNTERS_CODE = codes(COUNTER_STATES);
const ROLE_CODE = codes(ROLES);

/** Adds the row of `connection` as of `version`; and a tombstone where its former row was. */
export function writeConnection(
  blocks: RowBlocks,
  connection: Connection,
  version: number,
  tombstone: Half | undefined,
): void {
  if (tombstone !== undefined) {
    const columns = blocks.row("connection_rows", dayOf(tombstone.openedMs));
    push(columns, new Connection(tombstone), version, 1);
  }
  push(blocks.row("connection_rows", dayOf(connection.key.openedMs)), connection, version, 0);
}

function push(
  to: ConnectionColumns,
  connection: Connection,
  version: number,
  deleted: 0 | 1,
): void {
  const { key: a, other: b } = connection;
  const { tuple } = oriented(connection);
  to.k_opened.push(a.openedMs);
  to.k_node.push(nodeBytes(a.node.id));
  to.k_epoch.push(a.epoch);
  to.k_seq.push(a.seq);
  to.version.push(version);
  to.deleted.push(deleted);
  to.settled.push(connection.settled ? 1 : 0);
  to.network.push(a.network);
  to.protocol.push(tuple.protocol);
  to.initiator_ip.push(tuple.initiatorIp);
  to.initiator_port.push(tuple.initiatorPort);
  to.responder_ip.push(tuple.responderIp);
  to.responder_port.push(tuple.responderPort);
  to.initiator_node.push(nodeName(connection, tuple.initiatorIp));
  to.responder_node.push(nodeName(connection, tuple.responderIp));
  to.verdict.push(VERDICT_CODE[connection.verdict]);
  to.excuse.push(connection.excuse);
  to.counters.push(COUNTERS_CODE[connection.counters]);
  pushFirst(to, a);
  pushSecond(to, a, b);
}

function pushFirst(to: ConnectionColumns, a: Half): void {
  const counters = a.counters ?? NO_COUNTERS;
  to.a_role.push(ROLE_CODE[a.role]);
  to.a_flags.push(flagsOf(a));
  to.a_state.push(a.state);
  to.a_duration.push(a.durationMs ?? 0);
  to.a_initiator_packets.push(counters.initiatorPackets);
  to.a_initiator_bytes.push(counters.initiatorBytes);
  to.a_responder_packets.push(counters.responderPackets);
  to.a_responder_bytes.push(counters.responderBytes);
  to.a_index.push(a.index);
}

function pushSecond(to: ConnectionColumns, a: Half, b: Half | undefined): void {
  const first = a.counters ?? NO_COUNTERS;
  const second = b === undefined ? first : (b.counters ?? NO_COUNTERS);
  to.b_node.push(b === undefined ? NO_NODE : nodeBytes(b.node.id));
  to.b_epoch.push(b?.epoch ?? 0);
  to.b_seq.push(b?.seq ?? 0);
  to.b_role.push(b === undefined ? NO_HALF : ROLE_CODE[b.role]);
  to.b_flags.push(b === undefined ? 0 : flagsOf(b));
  to.b_state.push(b?.state ?? "");
  to.b_opened_after.push(b === undefined ? 0 : b.openedMs - a.openedMs);
  to.b_duration_more.push(b === undefined ? 0 : (b.durationMs ?? 0) - (a.durationMs ?? 0));
  to.b_initiator_packets_more.push(second.initiatorPackets - first.initiatorPackets);
  to.b_initiator_bytes_more.push(second.initiatorBytes - first.initiatorBytes);
  to.b_responder_packets_more.push(second.responderPackets - first.responderPackets);
  to.b_responder_bytes_more.push(second.responderBytes - first.responderBytes);
  to.b_index.push(b?.index ?? 0);
}

/** The half whose orientation was seen, where one was picked up. */
function oriented(connection: Connection): Half {
  const { key, other } = connection;
  return key.pickup && other !== undefined ? other : key;
}

function nodeName(connection: Connection, ip: string): string {
  for (const half of connection.halves) if (half.ownIp === ip) return half.node.name;
  return connection.key.peerIp === ip ? connection.peerName : "";
}

function flagsOf(half: Half): number {
  return (
    (half.pickup ? HALF_FLAG.pickup : 0) |
    (half.assured ? HALF_FLAG.assured : 0) |
    (half.inferred ? HALF_FLAG.inferred : 0) |
    (half.counters === undefined ? 0 : HALF_FLAG.counted) |
    (half.closed ? HALF_FLAG.closed : 0) |
    (half.accounted ? HALF_FLAG.accounted : 0)
  );
}

const nodeBytesCache = new Map<string, Buffer>();

function nodeBytes(idHex: string): Buffer {
  let bytes = nodeBytesCache.get(idHex);
  if (bytes === undefined) {
    bytes = Buffer.from(idHex, "hex");
    nodeBytesCache.set(idHex, bytes);
  }
  return bytes;
}

function codes<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<T, number>;
}

/** What a restart reads back of an unsettled connection: physical columns, numbers as text where 64 bits wide. */
export const STORED_COLUMNS = `lower(hex(k_node)) AS k_node, lower(hex(b_node)) AS b_node,
  toUnixTimestamp64Milli(k_opened) AS k_opened_ms, k_epoch, k_seq, settled, network, protocol,
  initiator_ip, initiator_port, responder_ip, responder_port, initiator_node, responder_node,
  toString(verdict) AS verdict, excuse, toString(counters) AS counters,
  a_role, a_flags, a_state, a_duration, a_initiator_packets, a_initiator_bytes, a_responder_packets,
  a_responder_bytes, a_index, b_epoch, b_seq, b_role, b_flags, b_state, b_opened_after, b_duration_more,
  b_initiator_packets_more, b_initiator_bytes_more, b_responder_packets_more, b_responder_bytes_more,
  b_index`;

/** One row of `SELECT STORED_COLUMNS`, as JSON gives it. */
export type StoredRow = Readonly<Record<string, string | number>>;

export interface StoredConnection {
  readonly row: StoredRow;
  /** When the server received a batch, by its index in the journal. */
  readonly receivedMs: (journalIndex: number) => number | undefined;
}

/** The inverse of `writeConnection`: judged as if there had been no restart. */
export function readConnection(
  { row, receivedMs }: StoredConnection,
  streamOf: (idHex: string) => NodeStream,
): Connection {
  const number = (name: string) => Number(row[name]);
  const word = (name: string) => String(row[name]);
  const side = (prefix: "a" | "b"): StoredHalf => {
    const a = prefix === "a";
    const node = streamOf(word(a ? "k_node" : "b_node"));
    const openedMs = number("k_opened_ms") + (a ? 0 : number("b_opened_after"));
    const index = number(`${prefix}_index`);
    const plus = (name: string) => number(`a_${name}`) + (a ? 0 : number(`b_${name}_more`));
    return {
      node,
      place: {
        epoch: number(a ? "k_epoch" : "b_epoch"),
        seq: number(a ? "k_seq" : "b_seq"),
        index,
        receivedMs: receivedMs(index) ?? openedMs,
        leastLagMs: node.memory.leastLagMs ?? 0,
      },
      openedMs,
      role: ROLES[number(`${prefix}_role`)] ?? "initiator",
      flags: number(`${prefix}_flags`),
      state: word(`${prefix}_state`),
      durationMs: number("a_duration") + (a ? 0 : number("b_duration_more")),
      counters: {
        initiatorPackets: plus("initiator_packets"),
        initiatorBytes: plus("initiator_bytes"),
        responderPackets: plus("responder_packets"),
        responderBytes: plus("responder_bytes"),
      },
    };
  };
  const connection = new Connection(readHalf(row, side("a")));
  if (number("b_role") !== NO_HALF) connection.other = readHalf(row, side("b"));
  connection.verdict = word("verdict") as Verdict;
  connection.excuse = word("excuse");
  connection.counters = word("counters") as CounterState;
  connection.settled = number("settled") === 1;
  if (connection.verdict === "missing") connection.found = "missing-half";
  connection.peerName = word(
    connection.key.role === "initiator" ? "responder_node" : "initiator_node",
  );
  return connection;
}

interface StoredHalf {
  readonly node: NodeStream;
  readonly place: HalfPlace;
  readonly openedMs: number;
  readonly role: Role;
  readonly flags: number;
  readonly state: string;
  readonly durationMs: number;
  readonly counters: Counters;
}

function readHalf(row: StoredRow, stored: StoredHalf): Half {
  const entry: OpenEntry = {
    kind: "open",
    atMs: stored.openedMs,
    role: stored.role,
    tuple: {
      protocol: Number(row["protocol"]),
      initiatorIp: String(row["initiator_ip"]),
      initiatorPort: Number(row["initiator_port"]),
      responderIp: String(row["responder_ip"]),
      responderPort: Number(row["responder_port"]),
    },
    pickup: (stored.flags & HALF_FLAG.pickup) !== 0,
    network: String(row["network"]),
  };
  const half = new Half(stored.node, entry, stored.place);
  // Its last update is not in the row: that it was heard of until now only makes waiting longer.
  half.heardMs = Math.max(half.heardMs, stored.node.memory.watermarkMs);
  half.state = stored.state;
  half.assured = (stored.flags & HALF_FLAG.assured) !== 0;
  half.inferred = (stored.flags & HALF_FLAG.inferred) !== 0;
  half.accounted = (stored.flags & HALF_FLAG.accounted) !== 0;
  if ((stored.flags & HALF_FLAG.counted) !== 0) half.counters = stored.counters;
  if ((stored.flags & HALF_FLAG.closed) !== 0) half.durationMs = stored.durationMs;
  return half;
}
