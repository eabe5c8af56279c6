/** A connection as a row of the store, and back. */
import { dayOf, type Columns, type RowBlocks } from "../store/row-blocks.ts";
import {
  BY_HAND,
  COUNTER_STATES,
  HALF_FLAG,
  NO_HALF,
  VERDICTS,
  type CounterState,
  type Verdict,
} from "../store/schema.ts";
import { StoreError } from "../store/store-error.ts";
import { CONNECTION_STATES } from "../format/entry.ts";
import { shifted } from "./clock-shifts.ts";
import { join } from "./connection.ts";
import type { Half } from "./half-records.ts";
import {
  BIT,
  CELL,
  END_STATE_AT,
  FORWARDER,
  NO_END_STATE,
  type NumberedTuple,
  PROTOCOL_AT,
  ROLE_AT,
  WORD,
} from "./half-records.ts";
import {
  countersOf,
  type Excuse,
  excuseOf,
  hasMark,
  MARK,
  setCounters,
  setMark,
  setVerdict,
  verdictOf,
} from "./half-state.ts";
import type { Changed } from "./changed-rows.ts";
import type { Reconcile } from "./reconcile.ts";
import type { Excused } from "./rulings.ts";
import { isEither, tupleOf } from "./tuple-index.ts";

type ConnectionColumns = Columns<"connection_rows">;

const NO_NODE = Buffer.alloc(16);
const VERDICT_CODE = codes(VERDICTS);
const COUNTERS_CODE = codes(COUNTER_STATES);

/**
 * Adds the row of a connection as of `version`; and tombstones where its halves had rows of their own.
 * That it was excused by hand, by the ruling `word`, is the row's to show: the comparison's own
 * verdict stays what it is.
 */
export function writeConnection(
  blocks: RowBlocks,
  changed: Changed,
  version: number,
  word?: Excused,
): void {
  for (const half of changed.tombstones) {
    const columns = blocks.row("connection_rows", dayOf(half.openedMs));
    push(columns, { key: half, other: undefined, peerName: "", tombstones: [] }, version, 1);
    pushVerdict(columns, half, undefined);
  }
  const to = blocks.row("connection_rows", dayOf(changed.key.openedMs));
  push(to, changed, version, 0);
  pushVerdict(to, changed.key, word);
}

function push(to: ConnectionColumns, changed: Changed, version: number, deleted: 0 | 1): void {
  const { key, other } = changed;
  const shown = shownTuple(key, other);
  to.k_opened.push(key.openedMs);
  to.k_node.push(nodeBytes(key.node.id));
  to.k_epoch.push(key.epoch);
  to.k_seq.push(key.seq);
  to.version.push(version);
  to.deleted.push(deleted);
  to.settled.push(hasMark(key, MARK.settled) ? 1 : 0);
  to.parked.push(deleted === 0 && hasMark(key, MARK.parked) ? 1 : 0);
  to.network.push(key.network);
  to.protocol.push(key.protocol);
  to.initiator_ip.push(key.names.addressOf(shown.initiatorIp));
  to.initiator_port.push(shown.initiatorPort);
  to.responder_ip.push(key.names.addressOf(shown.responderIp));
  to.responder_port.push(shown.responderPort);
  to.initiator_node.push(nodeName(changed, 0));
  to.responder_node.push(nodeName(changed, 1));
  to.counters.push(COUNTERS_CODE[countersOf(key)]);
  pushFirst(to, key, other);
  pushSecond(to, key, other);
  pushTranslated(to, key, other);
}

function pushVerdict(to: ConnectionColumns, key: Half, word: Excused | undefined): void {
  const verdict = verdictOf(key);
  const isExcused = word !== undefined && (verdict === "missing" || verdict === "differs");
  const proof = isExcused ? word : key.records.rare.get(key.slot)?.proof;
  to.verdict.push(VERDICT_CODE[isExcused ? "excused" : verdict]);
  to.excuse.push(isExcused ? BY_HAND : excuseOf(key));
  to.excuse_index.push(proof === undefined ? 0 : proof.index);
  to.excuse_seq.push(proof === undefined ? 0 : proof.seq);
}

function pushFirst(to: ConnectionColumns, a: Half, b: Half | undefined): void {
  const { records, slot } = a;
  to.a_role.push(a.roleNumber);
  to.a_flags.push(flagsOf(a, orienting(a, b)));
  to.a_state.push(a.state);
  to.a_clock.push(Math.round(a.openedMs - a.serverMs));
  to.a_proven.push(provenAfter(a));
  to.a_duration.push(a.durationMs);
  to.a_initiator_packets.push(records.word(slot, WORD.initiatorPackets));
  to.a_initiator_bytes.push(records.word(slot, WORD.initiatorBytes));
  to.a_responder_packets.push(records.word(slot, WORD.responderPackets));
  to.a_responder_bytes.push(records.word(slot, WORD.responderBytes));
  to.a_initiator_payload.push(records.word(slot, WORD.initiatorPayload));
  to.a_responder_payload.push(records.word(slot, WORD.responderPayload));
  to.a_index.push(a.index);
}

function pushSecond(to: ConnectionColumns, a: Half, b: Half | undefined): void {
  const more = (word: number): number =>
    b === undefined ? 0 : b.records.word(b.slot, word) - a.records.word(a.slot, word);
  to.b_node.push(b === undefined ? NO_NODE : nodeBytes(b.node.id));
  to.b_epoch.push(b === undefined ? 0 : b.epoch);
  to.b_seq.push(b === undefined ? 0 : b.seq);
  to.b_role.push(b === undefined ? NO_HALF : b.roleNumber);
  to.b_flags.push(b === undefined ? 0 : flagsOf(b, orienting(a, b)));
  to.b_state.push(b === undefined ? "" : b.state);
  to.b_clock.push(b === undefined ? 0 : Math.round(b.openedMs - b.serverMs));
  to.b_proven.push(b === undefined ? 0 : provenAfter(b));
  to.b_opened_after.push(more(WORD.openedMs));
  to.b_duration_more.push(more(WORD.durationMs));
  to.b_initiator_packets_more.push(more(WORD.initiatorPackets));
  to.b_initiator_bytes_more.push(more(WORD.initiatorBytes));
  to.b_responder_packets_more.push(more(WORD.responderPackets));
  to.b_responder_bytes_more.push(more(WORD.responderBytes));
  to.b_initiator_payload_more.push(more(WORD.initiatorPayload));
  to.b_responder_payload_more.push(more(WORD.responderPayload));
  to.b_index.push(b === undefined ? 0 : b.index);
}

/** What the other end, or the other side of a forwarder, calls the same connection; empty where it is the same. */
function pushTranslated(to: ConnectionColumns, key: Half, other: Half | undefined): void {
  const tuple = translatedTuple(key, other);
  to.x_initiator_ip.push(tuple === undefined ? "" : key.names.addressOf(tuple.initiatorIp));
  to.x_initiator_port.push(tuple === undefined ? 0 : tuple.initiatorPort);
  to.x_responder_ip.push(tuple === undefined ? "" : key.names.addressOf(tuple.responderIp));
  to.x_responder_port.push(tuple === undefined ? 0 : tuple.responderPort);
}

function provenAfter(half: Half): number {
  return half.provenMs === 0 ? -1 : half.provenMs - half.openedMs;
}

/** The half whose orientation was seen, and of two that call it differently, the initiator's. */
function orienting(key: Half, other: Half | undefined): Half {
  if (other === undefined || other.roleNumber === FORWARDER) return key;
  if (key.pickup !== other.pickup) return key.pickup ? other : key;
  return key.roleNumber === 0 ? key : other;
}

function shownTuple(key: Half, other: Half | undefined): NumberedTuple {
  return tupleOf(orienting(key, other));
}

function translatedTuple(key: Half, other: Half | undefined): NumberedTuple | undefined {
  const first = orienting(key, other);
  const second = first === key ? other : key;
  if (second === undefined) return first.second;
  if (isTranslated(second, first)) return tupleOf(second);
  return second.roleNumber === FORWARDER ? second.second : first.second;
}

/** Its own tuple is another one than the row shows, not only the other way round. */
function isTranslated(half: Half, first: Half): boolean {
  return !isEither(tupleOf(half), tupleOf(first));
}

/** `role` 0: the initiator's. */
function nodeName({ key, other, peerName }: Changed, role: 0 | 1): string {
  const first = orienting(key, other);
  const second = first === key ? other : key;
  if (first.roleNumber === FORWARDER) return "";
  if (first.roleNumber === role) return first.node.name;
  return second === undefined ? peerName : second.node.name;
}

/** `first`: of the two, whose tuple the row shows. */
function flagsOf(half: Half, first: Half): number {
  const { bits } = half;
  return (
    ((bits & BIT.pickup) === 0 ? 0 : HALF_FLAG.pickup) |
    ((bits & BIT.assured) === 0 ? 0 : HALF_FLAG.assured) |
    ((bits & BIT.inferred) === 0 ? 0 : HALF_FLAG.inferred) |
    ((bits & BIT.counted) === 0 ? 0 : HALF_FLAG.counted) |
    ((bits & BIT.closed) === 0 ? 0 : HALF_FLAG.closed) |
    ((bits & BIT.accounted) === 0 ? 0 : HALF_FLAG.accounted) |
    (hasMark(half, MARK.split) ? HALF_FLAG.split : 0) |
    (isTranslated(half, first) ? HALF_FLAG.translated : 0)
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
export const STORED_COLUMNS = `toUInt64(version) AS version, lower(hex(k_node)) AS k_node, lower(hex(b_node)) AS b_node,
  toUnixTimestamp64Milli(k_opened) AS k_opened_ms, k_epoch, k_seq, settled, parked, network, protocol,
  initiator_ip, initiator_port, responder_ip, responder_port,
  x_initiator_ip, x_initiator_port, x_responder_ip, x_responder_port,
  toString(verdict) AS verdict, excuse, excuse_index, excuse_seq, toString(counters) AS counters,
  a_role, a_flags, a_state, a_clock, a_proven, a_duration, a_initiator_packets, a_initiator_bytes,
  a_responder_packets, a_responder_bytes, a_initiator_payload, a_responder_payload, a_index,
  b_epoch, b_seq, b_role, b_flags, b_state, b_clock, b_proven, b_opened_after, b_duration_more,
  b_initiator_packets_more, b_initiator_bytes_more, b_responder_packets_more,
  b_responder_bytes_more, b_initiator_payload_more, b_responder_payload_more, b_index`;

/** One row of `SELECT STORED_COLUMNS`, as JSON gives it. */
export type StoredRow = Readonly<Record<string, string | number>>;

export interface StoredConnection {
  readonly row: StoredRow;
  /** When the server received a batch, by its index in the journal. */
  readonly receivedMs: (journalIndex: number) => number | undefined;
}

/** The inverse of `writeConnection`: compared as if there had been no restart. Halves that are known already stay. */
export function restoreConnection(
  reconcile: Reconcile,
  stored: StoredConnection,
  next = Infinity,
): void {
  const { row } = stored;
  if (Number(row["version"]) > next) return restoreUndecided(reconcile, stored, next);
  const isPair = isPairOf(row);
  const a = restoreHalf(reconcile, stored, "a");
  const b = isPair ? restoreHalf(reconcile, stored, "b") : undefined;
  if (a === undefined) return;
  if (isPair && b === undefined) return;
  const isSettled = Number(row["settled"]) === 1;
  const key = b === undefined ? a : join(a, b);
  const isByHand = row["excuse"] === BY_HAND;
  const verdict = isByHand ? (isPair ? "differs" : "missing") : (row["verdict"] as Verdict);
  if (isByHand) setVerdict(key, verdict);
  else setVerdict(key, verdict, row["excuse"] as Excuse);
  setCounters(key, row["counters"] as CounterState);
  setMark(key, MARK.hasRow);
  if (verdict === "missing") setMark(key, MARK.foundMissing);
  const proof = { index: Number(row["excuse_index"]), seq: Number(row["excuse_seq"]) };
  // The server's first record proves something too.
  const isProven = proof.index !== 0 || proof.seq !== 0;
  if (isProven && !isByHand) key.records.rareOf(key.slot).proof = proof;
  for (const half of b === undefined ? [a] : [a, b]) {
    if (isSettled) setMark(half, MARK.settled);
    reconcile.adopt(half);
  }
  if (Number(row["parked"]) === 1) reconcile.parking.note(key);
}

/** Takes back a half that was parked: as if it had been in memory all the time. */
export function restoreParked(reconcile: Reconcile, stored: StoredConnection): void {
  const { row } = stored;
  const stream = reconcile.streamFor(String(row["k_node"]));
  const writtenMs = Number(row["k_opened_ms"]) - Number(row["a_clock"]);
  const serverMs = shifted(writtenMs, stream.memory.shifts, Number(row["version"]));
  const clockMs = Number(row["k_opened_ms"]) - serverMs;
  restoreConnection(reconcile, { ...stored, row: { ...row, a_clock: clockMs, parked: 0 } });
  const place = { seq: Number(row["k_seq"]), epoch: Number(row["k_epoch"]) };
  reconcile.parking.takenBack(stream, place);
}

/**
 * The row is of a range that is done again, because the server died in it. What was decided in it is
 * decided again; halves that came in it come again, the others are taken up as if they stood alone.
 */
function restoreUndecided(reconcile: Reconcile, stored: StoredConnection, next: number): void {
  const { row } = stored;
  for (const side of isPairOf(row) ? (["a", "b"] as const) : (["a"] as const)) {
    if (Number(row[`${side}_index`]) >= next) continue;
    const half = restoreHalf(reconcile, stored, side);
    if (half === undefined) continue;
    // So its row goes, if it had one and is the second of a pair again.
    setMark(half, MARK.hasRow);
    reconcile.adoptUndecided(half);
    if (Number(row["parked"]) === 1) reconcile.parking.note(half);
  }
}

function restoreHalf(
  reconcile: Reconcile,
  stored: StoredConnection,
  side: "a" | "b",
): Half | undefined {
  const { row } = stored;
  const number = (name: string) => Number(row[name]);
  const stream = reconcile.streamFor(String(row[side === "a" ? "k_node" : "b_node"]));
  const seq = number(side === "a" ? "k_seq" : "b_seq");
  const epoch = number(side === "a" ? "k_epoch" : "b_epoch");
  const index = number(`${side}_index`);
  const receivedMs = receivedMsOf(stored, index);
  const half = reconcile.allocate(stream, { seq, epoch });
  if (half === undefined) return undefined;
  const { records, slot } = half;
  const plus = (name: string) =>
    number(`a_${name}`) + (side === "a" ? 0 : number(`b_${name}_more`));
  const openedMs = number("k_opened_ms") + (side === "a" ? 0 : number("b_opened_after"));
  const flags = number(`${side}_flags`);
  const proven = number(`${side}_proven`);
  const role = number(`${side}_role`);
  records.setWord(slot, WORD.openedMs, openedMs);
  records.setWord(slot, WORD.serverMs, openedMs - number(`${side}_clock`));
  records.setWord(slot, WORD.provenMs, proven === -1 ? 0 : openedMs + proven);
  records.setWord(slot, WORD.durationMs, plus("duration"));
  records.setWord(slot, WORD.receivedMs, receivedMs);
  records.setWord(slot, WORD.initiatorPackets, plus("initiator_packets"));
  records.setWord(slot, WORD.initiatorBytes, plus("initiator_bytes"));
  records.setWord(slot, WORD.responderPackets, plus("responder_packets"));
  records.setWord(slot, WORD.responderBytes, plus("responder_bytes"));
  records.setWord(slot, WORD.initiatorPayload, plus("initiator_payload"));
  records.setWord(slot, WORD.responderPayload, plus("responder_payload"));
  records.setWord(slot, WORD.index, index);
  records.setCell(slot, CELL.network, reconcile.networks.numberOf(networkOf(row)));
  const state = CONNECTION_STATES.indexOf(
    row[`${side}_state`] as (typeof CONNECTION_STATES)[number],
  );
  records.setCell(
    slot,
    CELL.bits,
    bitsOf(flags) |
      (role << ROLE_AT) |
      ((state === -1 ? NO_END_STATE : state) << END_STATE_AT) |
      (number("protocol") << PROTOCOL_AT),
  );
  setTuples(reconcile, half, row, side);
  if ((flags & HALF_FLAG.split) !== 0) setMark(half, MARK.split);
  return half;
}

/** Whether a half came late depends on it: one that was made up would decide otherwise than before the restart. */
function receivedMsOf({ row, receivedMs }: StoredConnection, index: number): number {
  const knownMs = receivedMs(index);
  if (knownMs !== undefined) return knownMs;
  throw new StoreError(
    "store_incomplete",
    `record ${index} of the journal has no row in batch_rows, but the connection ${row["k_node"]} ${row["k_epoch"]} ${row["k_seq"]} rests on it`,
  );
}

function networkOf(row: StoredRow): string | undefined {
  const name = String(row["network"]);
  return name === "default" ? undefined : name;
}

/**
 * The row shows the tuple of one half. The other has the same, or calls the two ends the other way
 * round, or where addresses were translated has another one.
 */
function setTuples(reconcile: Reconcile, half: Half, row: StoredRow, side: "a" | "b"): void {
  const { addresses } = reconcile;
  const tuple = (prefix: string): NumberedTuple => ({
    initiatorIp: addresses.numberOf(String(row[`${prefix}initiator_ip`])),
    initiatorPort: Number(row[`${prefix}initiator_port`]),
    responderIp: addresses.numberOf(String(row[`${prefix}responder_ip`])),
    responderPort: Number(row[`${prefix}responder_port`]),
  });
  const shown = tuple("");
  const translated = row["x_initiator_ip"] === "" ? undefined : tuple("x_");
  const { own, second } = tuplesOf(row, side, { shown, translated });
  half.setTuple(own);
  if (second !== undefined) half.records.rareOf(half.slot).second = second;
}

interface OwnTuples {
  readonly own: NumberedTuple;
  readonly second?: NumberedTuple | undefined;
}

function tuplesOf(
  row: StoredRow,
  side: "a" | "b",
  {
    shown,
    translated,
  }: { readonly shown: NumberedTuple; readonly translated: NumberedTuple | undefined },
): OwnTuples {
  if (!isPairOf(row)) return { own: shown, second: translated };
  const isOther = ["a_flags", "b_flags"].some(
    (name) => (Number(row[name]) & HALF_FLAG.translated) !== 0,
  );
  const isBridged = Number(row["b_role"]) === FORWARDER;
  if (side === orientingSide(row)) {
    return { own: shown, second: isOther || isBridged ? undefined : translated };
  }
  if (isOther && translated !== undefined) {
    return { own: translated, second: isBridged ? shown : undefined };
  }
  if (isBridged) return { own: shown, second: translated };
  return { own: row["a_role"] === row["b_role"] ? turned(shown) : shown };
}

function turned({
  initiatorIp,
  initiatorPort,
  responderIp,
  responderPort,
}: NumberedTuple): NumberedTuple {
  return {
    initiatorIp: responderIp,
    initiatorPort: responderPort,
    responderIp: initiatorIp,
    responderPort: initiatorPort,
  };
}

function isPairOf(row: StoredRow): boolean {
  return Number(row["b_role"]) !== NO_HALF;
}

/** As `orienting`, from the row. */
function orientingSide(row: StoredRow): "a" | "b" {
  const number = (name: string) => Number(row[name]);
  if (number("b_role") === FORWARDER) return "a";
  const [a, b] = ["a_flags", "b_flags"].map((name) => number(name) & HALF_FLAG.pickup);
  if (a !== b) return a === 0 ? "a" : "b";
  return number("a_role") === 0 ? "a" : "b";
}

function bitsOf(flags: number): number {
  return (
    ((flags & HALF_FLAG.pickup) === 0 ? 0 : BIT.pickup) |
    ((flags & HALF_FLAG.assured) === 0 ? 0 : BIT.assured) |
    ((flags & HALF_FLAG.inferred) === 0 ? 0 : BIT.inferred) |
    ((flags & HALF_FLAG.counted) === 0 ? 0 : BIT.counted) |
    ((flags & HALF_FLAG.closed) === 0 ? 0 : BIT.closed) |
    ((flags & HALF_FLAG.accounted) === 0 ? 0 : BIT.accounted)
  );
}
