/**
 * The searchable copy: physical tables, which the indexer writes, and the views that people query.
 *
 * A connection is one row of `connection_rows`, rewritten as more becomes known (`version` is the
 * journal index after the change; the last one wins). It is keyed by one of its halves and that
 * half's open time, both immutable. The second half is stored as the difference to the first: the
 * two ends agree almost always, and zeros cost nothing on disk.
 */

import { COUNTER_STATES, VERDICTS } from "../format/verdict.ts";

/** Raised when a table or view changes; a store with another version is dropped and rebuilt from the journal. */
export const SCHEMA_VERSION = 14;

/** A table that is made when all others and the views are there: it says that they are, and of which version. */
export const SCHEMA_MARK = `schema_${SCHEMA_VERSION}`;

const enumOf = (values: readonly string[]) =>
  `Enum8(${values.map((value, index) => `'${value}' = ${index}`).join(", ")})`;

/**
 * Inserting a token twice counts once, within this many last inserts per table; only the last is ever
 * retried. Parts are synced: the position, a row as well, must never outlive what it stands for.
 */
const MERGE_TREE =
  "non_replicated_deduplication_window = 200, fsync_after_insert = 1, fsync_part_directory = 1";

/**
 * Physical names in the order in which they are created. What the newest version of a row is found by,
 * and the verdict, are compressed for speed: reading them is half of what it costs to go through all.
 */
export const TABLES = {
  connection_rows: `
    k_opened DateTime64(3, 'UTC') CODEC(LZ4),
    k_node LowCardinality(FixedString(16)),
    k_epoch UInt32 CODEC(LZ4),
    k_seq UInt64 CODEC(Delta, LZ4),
    version UInt64 CODEC(Delta, LZ4),
    deleted UInt8 CODEC(LZ4),
    settled UInt8 CODEC(ZSTD(1)),
    parked UInt8 CODEC(ZSTD(1)),
    network LowCardinality(String),
    protocol UInt8 CODEC(ZSTD(1)),
    initiator_ip LowCardinality(String),
    initiator_port UInt16 CODEC(ZSTD(1)),
    responder_ip LowCardinality(String),
    responder_port UInt16 CODEC(ZSTD(1)),
    initiator_node LowCardinality(String),
    responder_node LowCardinality(String),
    verdict ${enumOf(VERDICTS)} CODEC(LZ4),
    excuse LowCardinality(String),
    excuse_index UInt64 CODEC(ZSTD(1)),
    excuse_seq UInt64 CODEC(ZSTD(1)),
    counters ${enumOf(COUNTER_STATES)} CODEC(ZSTD(1)),
    a_role UInt8 CODEC(ZSTD(1)),
    a_flags UInt8 CODEC(ZSTD(1)),
    a_state LowCardinality(String),
    a_clock Int64 CODEC(T64, ZSTD(1)),
    a_proven Int64 CODEC(T64, ZSTD(1)),
    a_duration Int64 CODEC(ZSTD(1)),
    a_initiator_packets UInt64 CODEC(T64, ZSTD(1)),
    a_initiator_bytes UInt64 CODEC(T64, ZSTD(1)),
    a_responder_packets UInt64 CODEC(T64, ZSTD(1)),
    a_responder_bytes UInt64 CODEC(T64, ZSTD(1)),
    a_initiator_payload Int64 CODEC(T64, ZSTD(1)),
    a_responder_payload Int64 CODEC(T64, ZSTD(1)),
    a_index UInt64 CODEC(Delta, ZSTD(1)),
    b_node LowCardinality(FixedString(16)),
    b_epoch UInt32 CODEC(ZSTD(1)),
    b_seq UInt64 CODEC(Delta, ZSTD(1)),
    b_role UInt8 CODEC(ZSTD(1)),
    b_flags UInt8 CODEC(ZSTD(1)),
    b_state LowCardinality(String),
    b_clock Int64 CODEC(T64, ZSTD(1)),
    b_proven Int64 CODEC(T64, ZSTD(1)),
    b_opened_after Int64 CODEC(T64, ZSTD(1)),
    b_duration_more Int64 CODEC(T64, ZSTD(1)),
    b_initiator_packets_more Int64 CODEC(ZSTD(1)),
    b_initiator_bytes_more Int64 CODEC(ZSTD(1)),
    b_responder_packets_more Int64 CODEC(ZSTD(1)),
    b_responder_bytes_more Int64 CODEC(ZSTD(1)),
    b_initiator_payload_more Int64 CODEC(ZSTD(1)),
    b_responder_payload_more Int64 CODEC(ZSTD(1)),
    b_index UInt64 CODEC(Delta, ZSTD(1)),
    x_initiator_ip LowCardinality(String),
    x_initiator_port UInt16 CODEC(ZSTD(1)),
    x_responder_ip LowCardinality(String),
    x_responder_port UInt16 CODEC(ZSTD(1)),
    INDEX versions version TYPE minmax GRANULARITY 1
  ) ENGINE = ReplacingMergeTree(version, deleted)
  PARTITION BY toYYYYMMDD(k_opened)
  ORDER BY (k_opened, k_node, k_epoch, k_seq)
  SETTINGS ${MERGE_TREE}`,

  log_rows: `
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    node LowCardinality(String),
    node_id LowCardinality(FixedString(16)),
    epoch UInt32 CODEC(ZSTD(1)),
    seq UInt64 CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String),
    severity_number UInt8 CODEC(ZSTD(1)),
    body String CODEC(ZSTD(1)),
    attributes String CODEC(ZSTD(1)),
    journal_index UInt64 CODEC(Delta, ZSTD(1))
  ) ENGINE = MergeTree
  PARTITION BY (toYYYYMMDD(time), toUInt8(kind = 'log'))
  ORDER BY (time, node_id, epoch, seq)
  SETTINGS ${MERGE_TREE}`,

  audit_rows: `
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id FixedString(16) CODEC(NONE),
    operation FixedString(16) CODEC(NONE),
    actor_type LowCardinality(String),
    actor_id LowCardinality(String),
    actor LowCardinality(String),
    address LowCardinality(String),
    origin LowCardinality(String),
    action LowCardinality(String),
    is_read UInt8 CODEC(ZSTD(1)),
    target_type LowCardinality(String),
    target_id String CODEC(ZSTD(1)),
    target String CODEC(ZSTD(1)),
    changes String CODEC(ZSTD(1)),
    outcome LowCardinality(String),
    code LowCardinality(String),
    facts String CODEC(ZSTD(1)),
    journal_index UInt64 CODEC(Delta, ZSTD(1)),
    seq UInt64 CODEC(Delta, ZSTD(1))
  ) ENGINE = MergeTree
  PARTITION BY toYYYYMMDD(time)
  ORDER BY (time, seq)
  SETTINGS ${MERGE_TREE}`,

  batch_rows: `
    journal_index UInt64 CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    node LowCardinality(String),
    node_id LowCardinality(FixedString(16)),
    epoch UInt32 CODEC(ZSTD(1)),
    batch_no UInt64 CODEC(Delta, ZSTD(1)),
    flags UInt16 CODEC(ZSTD(1)),
    seq_first UInt64 CODEC(Delta, ZSTD(1)),
    entry_count UInt32 CODEC(ZSTD(1)),
    closed DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    complete_to DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    payload_bytes UInt32 CODEC(ZSTD(1)),
    raw_bytes UInt32 CODEC(ZSTD(1)),
    chain_hash FixedString(32) CODEC(NONE)
  ) ENGINE = MergeTree
  PARTITION BY toYYYYMM(received)
  ORDER BY journal_index
  SETTINGS ${MERGE_TREE}`,

  finding_rows: `
    id FixedString(16),
    version UInt64,
    journal_index UInt64,
    time DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    severity LowCardinality(String),
    state LowCardinality(String),
    node LowCardinality(String),
    node_id LowCardinality(String),
    connection_id String,
    title String CODEC(ZSTD(1)),
    evidence String CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    ruled_by LowCardinality(String),
    ruled_until DateTime64(3, 'UTC'),
    ruled_index UInt64,
    ruled_seq UInt64
  ) ENGINE = ReplacingMergeTree(version)
  ORDER BY id
  SETTINGS ${MERGE_TREE}`,

  node_rows: `
    id FixedString(16),
    version UInt64,
    name String,
    addresses String,
    last_seen DateTime64(3, 'UTC'),
    watermark DateTime64(3, 'UTC'),
    state LowCardinality(String),
    memory String CODEC(ZSTD(1))
  ) ENGINE = ReplacingMergeTree(version)
  ORDER BY id
  SETTINGS ${MERGE_TREE}`,

  derive_cursor: `
    name String,
    next_index UInt64
  ) ENGINE = ReplacingMergeTree(next_index)
  ORDER BY name
  SETTINGS ${MERGE_TREE}`,
} as const;

export type TableName = keyof typeof TABLES;

/** Bits of `a_flags` and `b_flags`. */
export const HALF_FLAG = {
  pickup: 1,
  assured: 2,
  inferred: 4,
  counted: 8,
  closed: 16,
  accounted: 32,
  split: 64,
  /** Of a pair: its own tuple is the translated one. */
  translated: 128,
  /** Of a half alone: its node has more instances of its tuple than are compared. */
  surplus: 128,
} as const;

/** The excuse of a connection about which a person excused the finding. */
export const BY_HAND = "by_hand";

/** `a_role`, `b_role`: place in this list; `b_role` is `NO_HALF` while there is one half only. */
export const ROLES = ["initiator", "responder", "forwarder"] as const;
export const FORWARDER_ROLE = 2;
export const NO_HALF = 255;

const TWO = `b_role != ${NO_HALF}`;
/** The half that a value is taken from: `a` unless the other end is the better witness of it. */
const byInitiator = (a: string, b: string) => `if(a_role = 0 OR NOT (${TWO}), ${a}, ${b})`;
const byResponder = (a: string, b: string) => `if(a_role = 1 OR NOT (${TWO}), ${a}, ${b})`;

const more = (column: string) => `toUInt64(a_${column} + b_${column}_more)`;
const A_CLOSED = `if(bitTest(a_flags, 4), k_opened + toIntervalMillisecond(a_duration), NULL)`;
const B_OPENED = `k_opened + toIntervalMillisecond(b_opened_after)`;
const B_CLOSED = `if(bitTest(b_flags, 4), ${B_OPENED} + toIntervalMillisecond(a_duration + b_duration_more), NULL)`;
const PROTOCOL = `transform(protocol, [1, 6, 17, 58, 132], ['icmp', 'tcp', 'udp', 'icmp6', 'sctp'], toString(protocol))`;

/** Plain strings: functions on addresses fail on the empty value that a dictionary column starts with. */
const ADDRESSES = `CAST(initiator_ip, 'String') AS initiator_ip, initiator_port, CAST(responder_ip, 'String') AS responder_ip, responder_port`;

/** The same as they lie there: for conditions that the API makes, which are asked once of each word of the dictionary. */
const ENDS = `initiator_ip, initiator_port, responder_ip, responder_port`;

/** What makes a row of `connection_rows` the same row. */
export const CONNECTION_KEY = ["k_opened", "k_node", "k_epoch", "k_seq"] as const;

/** As in src/format/half.ts, in SQL: 16 random-looking bytes per row are cheaper made than kept. */
const halfId = (node: string, epoch: string, seq: string) =>
  `lower(hex(substring(SHA256(concat('tallystick/half/v1\\n', toString(${node}), reverse(reinterpretAsFixedString(${epoch})), reverse(reinterpretAsFixedString(${seq})))), 1, 16)))`;

const bytesOf = (address: string) =>
  `if(isIPv4String(${address}), reverse(reinterpretAsString(toUInt32(IPv4StringToNumOrDefault(toString(${address}))))), toString(IPv6StringToNumOrDefault(toString(${address}))))`;
const portBytes = (port: string) => `reverse(reinterpretAsFixedString(${port}))`;
const INITIATOR_END = `(${bytesOf("initiator_ip")}, ${portBytes("initiator_port")})`;
const RESPONDER_END = `(${bytesOf("responder_ip")}, ${portBytes("responder_port")})`;

/** Community ID v1 with seed 0: endpoints ordered by address bytes, then port. */
const COMMUNITY_ID = `concat('1:', base64Encode(SHA1(concat(unhex('0000'),
  least(${INITIATOR_END}, ${RESPONDER_END}).1, greatest(${INITIATOR_END}, ${RESPONDER_END}).1,
  char(protocol), unhex('00'),
  least(${INITIATOR_END}, ${RESPONDER_END}).2, greatest(${INITIATOR_END}, ${RESPONDER_END}).2))))`;

const HALF_VIEW = (side: "a" | "b") => {
  const node = side === "a" ? "k_node" : "b_node";
  const epoch = side === "a" ? "k_epoch" : "b_epoch";
  const seq = side === "a" ? "k_seq" : "b_seq";
  const counter = (name: string) => (side === "a" ? `a_${name}` : more(name));
  return `SELECT ${halfId(node, epoch, seq)} AS half_id,
    ${halfId("k_node", "k_epoch", "k_seq")} AS connection_id,
    network, lower(hex(${node})) AS node_id,
    if(${side}_role = 1, responder_node, if(${side}_role = 0, initiator_node, '')) AS node,
    transform(${side}_role, [0, 1, 2], ['initiator', 'responder', 'forwarder'], '') AS role,
    ${epoch} AS epoch, ${seq} AS seq, ${side}_index AS journal_index,
    ${side === "a" ? "k_opened" : B_OPENED} AS opened_at, ${side === "a" ? A_CLOSED : B_CLOSED} AS closed_at,
    ${PROTOCOL} AS proto, ${ADDRESSES},
    ${side}_state AS end_state,
    bitTest(${side}_flags, 0) AS pickup, bitTest(${side}_flags, 1) AS assured,
    bitTest(${side}_flags, 2) AS inferred, bitTest(${side}_flags, 3) AS counted,
    bitTest(${side}_flags, 5) AS accounted, ${side}_clock AS clock_offset_ms,
    ${counter("initiator_packets")} AS initiator_packets, ${counter("initiator_bytes")} AS initiator_bytes,
    ${counter("responder_packets")} AS responder_packets, ${counter("responder_bytes")} AS responder_bytes
  FROM connection_rows FINAL`;
};

/** What a node's row remembers of its clock, and of how its records fared in the last 24 hours. */
const CLOCK_KNOWN = "JSONExtractBool(memory, 'clock', 'published', 'isKnown')";
const TREND = "JSONExtractArrayRaw(memory, 'trend', 'hours')";

/**
 * What a connection's row says. Its times are those of the half that names it, `a`: so they never
 * change, and rows lie in the order in which they are listed. `addresses` as one of the two below.
 */
const CONNECTION_COLUMNS = (addresses: string) => `network,
    k_opened AS opened_at,
    multiIf(bitTest(a_flags, 4), k_opened + toIntervalMillisecond(a_duration),
      ${TWO} AND bitTest(b_flags, 4), k_opened + toIntervalMillisecond(a_duration + b_duration_more), NULL) AS closed_at,
    ${PROTOCOL} AS proto,
    ${addresses}, initiator_node, responder_node,
    verdict, excuse, excuse_index, excuse_seq,
    ${byInitiator("a_initiator_bytes", more("initiator_bytes"))} AS initiator_bytes,
    ${byResponder("a_responder_bytes", more("responder_bytes"))} AS responder_bytes,
    ${byInitiator("a_initiator_packets", more("initiator_packets"))} AS initiator_packets,
    ${byResponder("a_responder_packets", more("responder_packets"))} AS responder_packets,
    ${byInitiator("a_state", "b_state")} AS end_state,
    counters,
    ${halfId("k_node", "k_epoch", "k_seq")} AS connection_id,
    ${COMMUNITY_ID} AS community_id,
    ${TWO} AS two_halves,
    CAST(x_initiator_ip, 'String') AS translated_initiator_ip, x_initiator_port AS translated_initiator_port,
    CAST(x_responder_ip, 'String') AS translated_responder_ip, x_responder_port AS translated_responder_port,
    version AS updated_index`;

/**
 * For the lists of the API, and for nobody else: the newest version of each row, and all versions that
 * are still there. To know which is the newest costs much more than to look for something among all.
 */
export const LIST_VIEWS = {
  connection_latest: `SELECT ${CONNECTION_KEY.join(", ")}, ${CONNECTION_COLUMNS(ENDS)} FROM connection_rows FINAL`,
  connection_versions: `SELECT ${CONNECTION_KEY.join(", ")}, ${CONNECTION_COLUMNS(ENDS)} FROM connection_rows`,
} as const satisfies Readonly<Record<string, string>>;

/** Texts in the order of the journal: what tells entries of one millisecond apart. */
const AUDIT_PLACE =
  "concat(leftPad(toString(journal_index), 16, '0'), '-', leftPad(toString(seq), 16, '0'))";

const AUDIT_COLUMNS = `SELECT time, lower(hex(id)) AS id, lower(hex(operation)) AS operation, actor_type, actor_id, actor,
    address, origin, action, is_read, target_type, target_id, target, changes, outcome, code, facts,
    journal_index, seq, ${AUDIT_PLACE} AS place`;

/**
 * The names that people and the API query; `audit` also says who read what, which is not for everybody
 * who may ask in SQL: `changes` is what is left of it for them. `sql` admits these and no other table.
 */
export const VIEWS = {
  connections: `SELECT ${CONNECTION_COLUMNS(ADDRESSES)} FROM connection_rows FINAL`,

  halves: `${HALF_VIEW("a")} UNION ALL ${HALF_VIEW("b")} WHERE ${TWO}`,

  findings: `SELECT time, kind, severity, state, node, connection_id, title, evidence,
    lower(hex(id)) AS id, reason, ruled_by,
    if(ruled_until = toDateTime64(0, 3, 'UTC'), NULL, ruled_until) AS ruled_until,
    journal_index FROM finding_rows FINAL`,

  nodes: `SELECT name, lower(hex(id)) AS id, JSONExtract(addresses, 'Array(String)') AS addresses,
    last_seen, watermark, state,
    if(${CLOCK_KNOWN}, JSONExtract(memory, 'clock', 'published', 'offsetMs', 'Float64'), NULL) AS clock_offset_ms,
    if(${CLOCK_KNOWN}, JSONExtract(memory, 'clock', 'published', 'driftPpm', 'Float64'), NULL) AS clock_drift_ppm,
    arraySum(arrayMap(hour -> JSONExtractUInt(hour, 'compared'), ${TREND})) AS compared_day,
    arraySum(arrayMap(hour -> JSONExtractUInt(hour, 'unexplained'), ${TREND})) AS unexplained_day,
    fromUnixTimestamp64Milli(JSONExtractInt(memory, 'totals', 'shown', 'fromMs'), 'UTC') AS carried_from,
    fromUnixTimestamp64Milli(JSONExtractInt(memory, 'totals', 'shown', 'toMs'), 'UTC') AS carried_to,
    JSONExtractUInt(memory, 'totals', 'shown', 'carriedBytes') AS carried_bytes,
    JSONExtractUInt(memory, 'totals', 'shown', 'connectionBytes') AS compared_bytes
    FROM node_rows FINAL WHERE state != 'server'`,

  logs: `SELECT time, node, severity_number,
    multiIf(severity_number = 0, '', severity_number < 5, 'trace', severity_number < 9, 'debug',
      severity_number < 13, 'info', severity_number < 17, 'warn', severity_number < 21, 'error', 'fatal') AS severity,
    kind, body, attributes, epoch, seq, journal_index FROM log_rows`,

  batches: `SELECT journal_index, received, node, epoch, batch_no, flags, seq_first, entry_count, closed,
    complete_to, payload_bytes, raw_bytes, lower(hex(chain_hash)) AS chain_hash FROM batch_rows`,

  audit: `${AUDIT_COLUMNS} FROM audit_rows`,

  changes: `${AUDIT_COLUMNS} FROM audit_rows WHERE is_read = 0`,
} as const satisfies Readonly<Record<string, string>>;

export type ViewName = keyof typeof VIEWS;
