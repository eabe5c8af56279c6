/** A connection from its row of the store: the inverse of write-connection.ts. */
import { CONNECTION_STATES } from "../../format/entry.ts";
import type { CounterState, Verdict } from "../../format/verdict.ts";
import { BY_HAND, HALF_FLAG } from "../../store/schema.ts";
import { StoreError } from "../../store/store-error.ts";
import type { NameTables } from "../half/name-tables.ts";
import { shifted } from "../node/clock-shifts.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { join } from "../half/connection.ts";
import type { Half } from "../half/half-records.ts";
import {
  CELL,
  END_STATE_AT,
  NO_END_STATE,
  type NumberedTuple,
  PROTOCOL_AT,
  ROLE_AT,
  WORD,
} from "../half/half-records.ts";
import { type Excuse, MARK, setCounters, setMark, setVerdict } from "../half/half-state.ts";
import type { Parking } from "./parking.ts";
import { bitsOf, isPairOf, type StoredRow, tuplesOf } from "./halves-in-row.ts";

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

export interface StoredConnection {
  readonly row: StoredRow;
  /** When the server received a batch, by its index in the journal. */
  readonly receivedMs: (journalIndex: number) => number | undefined;
}

/** What restored halves are put into, and found by: the comparison. */
interface Restored {
  readonly names: NameTables;
  readonly parking: Parking;
  streamFor(id: string): NodeStream;
  /** A record for a half; undefined where it is known. */
  allocate(
    stream: NodeStream,
    place: { readonly seq: number; readonly epoch: number },
  ): Half | undefined;
  /** Takes up a half whose record is full. */
  adopt(half: Half): void;
  /** Takes up a half whose connection is to be decided again. */
  adoptUndecided(half: Half): void;
}

/** The inverse of `writeConnection`: compared as if there had been no restart. Halves that are known already stay. */
export function restoreConnection(into: Restored, stored: StoredConnection, next = Infinity): void {
  const { row } = stored;
  if (Number(row["version"]) > next) return restoreUndecided(into, stored, next);
  const isPair = isPairOf(row);
  const a = restoreHalf(into, stored, "a");
  const b = isPair ? restoreHalf(into, stored, "b") : undefined;
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
    into.adopt(half);
  }
  if (Number(row["parked"]) === 1) into.parking.note(key);
}

/** Takes back a half that was parked: as if it had been in memory all the time. */
export function restoreParked(into: Restored, stored: StoredConnection): void {
  const { row } = stored;
  const stream = into.streamFor(String(row["k_node"]));
  const writtenMs = Number(row["k_opened_ms"]) - Number(row["a_clock"]);
  const serverMs = shifted(writtenMs, stream.memory.shifts, Number(row["version"]));
  const clockMs = Number(row["k_opened_ms"]) - serverMs;
  restoreConnection(into, { ...stored, row: { ...row, a_clock: clockMs, parked: 0 } });
  const place = { seq: Number(row["k_seq"]), epoch: Number(row["k_epoch"]) };
  into.parking.takenBack(stream, place);
}

/**
 * The row is of a range that is done again, because the server died in it. What was decided in it is
 * decided again; halves that came in it come again, the others are taken up as if they stood alone.
 */
function restoreUndecided(into: Restored, stored: StoredConnection, next: number): void {
  const { row } = stored;
  for (const side of isPairOf(row) ? (["a", "b"] as const) : (["a"] as const)) {
    if (Number(row[`${side}_index`]) >= next) continue;
    const half = restoreHalf(into, stored, side);
    if (half === undefined) continue;
    // So its row goes, if it had one and is the second of a pair again.
    setMark(half, MARK.hasRow);
    into.adoptUndecided(half);
    if (Number(row["parked"]) === 1) into.parking.note(half);
  }
}

function restoreHalf(into: Restored, stored: StoredConnection, side: "a" | "b"): Half | undefined {
  const { row } = stored;
  const number = (name: string) => Number(row[name]);
  const stream = into.streamFor(String(row[side === "a" ? "k_node" : "b_node"]));
  const seq = number(side === "a" ? "k_seq" : "b_seq");
  const epoch = number(side === "a" ? "k_epoch" : "b_epoch");
  const index = number(`${side}_index`);
  const receivedMs = receivedMsOf(stored, index);
  const half = into.allocate(stream, { seq, epoch });
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
  records.setCell(slot, CELL.network, into.names.networks.numberOf(networkOf(row)));
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
  setTuples(into, half, row, side);
  if ((flags & HALF_FLAG.split) !== 0) setMark(half, MARK.split);
  if (!isPairOf(row) && (flags & HALF_FLAG.surplus) !== 0) setMark(half, MARK.surplus);
  return half;
}

/** Whether a half came late depends on it: with a time that was made up, it might be decided otherwise than before the restart. */
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
function setTuples(into: Restored, half: Half, row: StoredRow, side: "a" | "b"): void {
  const { addresses } = into.names;
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
