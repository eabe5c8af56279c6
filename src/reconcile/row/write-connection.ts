/** A connection as a row of the store. */
import { dayOf, type Columns, type RowBlocks } from "../../store/row-blocks.ts";
import { COUNTER_STATES, VERDICTS } from "../../format/verdict.ts";
import { BY_HAND, NO_HALF } from "../../store/schema.ts";
import type { Changed } from "./changed-rows.ts";
import type { Half } from "../half/half-records.ts";
import { FORWARDER, WORD } from "../half/half-records.ts";
import { countersOf, excuseOf, hasMark, MARK, numbersOf, verdictOf } from "../half/half-state.ts";
import { flagsOf, orienting, shownTuple, translatedTuple } from "./halves-in-row.ts";
import type { RulingPlace } from "./rulings.ts";

type ConnectionColumns = Columns<"connection_rows">;

const NO_NODE = Buffer.alloc(16);
const VERDICT_CODE = numbersOf(VERDICTS);
const COUNTERS_CODE = numbersOf(COUNTER_STATES);

/**
 * Adds the row of a connection as of `version`; and tombstones where its halves had rows of their own.
 * That it was excused by hand, by the ruling `word`, is the row's to show: the comparison's own
 * verdict stays what it is.
 */
export function writeConnection(
  blocks: RowBlocks,
  changed: Changed,
  version: number,
  word?: RulingPlace,
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

function pushVerdict(to: ConnectionColumns, key: Half, word: RulingPlace | undefined): void {
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

/** `role` 0: the initiator's. */
function nodeName({ key, other, peerName }: Changed, role: 0 | 1): string {
  const first = orienting(key, other);
  const second = first === key ? other : key;
  if (first.roleNumber === FORWARDER) return "";
  if (first.roleNumber === role) return first.node.name;
  return second === undefined ? peerName : second.node.name;
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
