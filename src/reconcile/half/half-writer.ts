/** From the words of a block of entries to the records of halves. */
import type { AddressTable } from "../../format/address-table.ts";
import {
  ENTRY_FLAG,
  type EntryBlock,
  flagsOfHead,
  isCounted,
  KIND,
  kindOfHead,
  protocolOfHead,
  roleOfHead,
  stateOfHead,
  WORD as ENTRY,
} from "../../format/entry-block.ts";
import type { ReplyTuple } from "../../format/entry.ts";
import {
  BIT,
  CELL,
  END_STATE_AT,
  type Half,
  NO_END_STATE,
  type NumberedTuple,
  PROTOCOL_AT,
  ROLE_AT,
  WORD,
} from "./half-records.ts";
import { MARK } from "./half-state.ts";
import type { NetworkTable } from "./network-table.ts";

/** What an open does not say itself. */
interface OpenPlace {
  readonly node: number;
  readonly epoch: number;
  readonly index: number;
  readonly receivedMs: number;
  readonly serverMs: number;
}

interface Tables {
  readonly addresses: AddressTable;
  readonly networks: NetworkTable;
}

/** Fills the new record from the open at `at` of the block's words. */
export function writeOpen(
  half: Half,
  from: { readonly block: EntryBlock; readonly at: number; readonly tables: Tables },
  place: OpenPlace,
): void {
  const { records, slot } = half;
  const { block, at } = from;
  const { words } = block;
  const head = words[at + ENTRY.head] ?? 0;
  const openedMs = words[at + ENTRY.atMs] ?? 0;
  records.setWord(slot, WORD.seq, words[at + ENTRY.seq] ?? 0);
  records.setWord(slot, WORD.openedMs, openedMs);
  records.setWord(slot, WORD.serverMs, place.serverMs);
  records.setWord(slot, WORD.receivedMs, place.receivedMs);
  records.setWord(slot, WORD.index, place.index);
  records.setWord(slot, WORD.initiatorPayload, -1);
  records.setWord(slot, WORD.responderPayload, -1);
  records.setCell(slot, CELL.node, place.node);
  records.setCell(slot, CELL.epoch, place.epoch);
  records.setCell(slot, CELL.initiatorIp, words[at + ENTRY.initiatorAddress] ?? 0);
  records.setCell(slot, CELL.responderIp, words[at + ENTRY.responderAddress] ?? 0);
  const initiatorPort = words[at + ENTRY.initiatorPort] ?? 0;
  records.setCell(slot, CELL.ports, (initiatorPort << 16) | (words[at + ENTRY.responderPort] ?? 0));
  const pickup = (flagsOfHead(head) & ENTRY_FLAG.pickup) !== 0 ? BIT.pickup : 0;
  const role = roleOfHead(head) << ROLE_AT;
  const bits = pickup | role | (protocolOfHead(head) << PROTOCOL_AT);
  records.setCell(slot, CELL.bits, bits | (NO_END_STATE << END_STATE_AT));
  records.setCell(slot, CELL.state, MARK.live);
  const rare = words[at + ENTRY.rare] ?? -1;
  if (rare !== -1) writeRare(half, block.rare[rare] ?? {}, from.tables);
}

function writeRare(
  half: Half,
  parts: { readonly reply?: ReplyTuple; readonly network?: string },
  { addresses, networks }: Tables,
): void {
  const { records, slot } = half;
  records.setCell(slot, CELL.network, networks.numberOf(parts.network));
  const { reply } = parts;
  if (reply === undefined) return;
  // What answers the translated packets: seen from the initiator, its tuple.
  const translated: NumberedTuple = {
    initiatorIp: addresses.numberOf(reply.destinationIp),
    initiatorPort: reply.destinationPort,
    responderIp: addresses.numberOf(reply.sourceIp),
    responderPort: reply.sourcePort,
  };
  if (half.roleNumber !== 0) {
    // A forwarder's own tuple is the initiator's side. A responder's is what came off the wire.
    records.rareOf(slot).second = translated;
    return;
  }
  // An initiator's packets leave it translated: that is what its peer sees.
  const ports = records.cell(slot, CELL.ports);
  records.rareOf(slot).second = {
    initiatorIp: records.cell(slot, CELL.initiatorIp),
    initiatorPort: ports >>> 16,
    responderIp: records.cell(slot, CELL.responderIp),
    responderPort: ports & 0xffff,
  };
  half.setTuple(translated);
}

/**
 * Takes what a later entry says, at `at` of the block's words. The same entry again changes nothing. `latestMs`: the
 * node's own clock; what is said of later counts as of then.
 */
export function amend(half: Half, block: EntryBlock, at: number, latestMs: number): void {
  const { records, slot } = half;
  const { words } = block;
  const head = words[at + ENTRY.head] ?? 0;
  const kind = kindOfHead(head);
  let bits = records.cell(slot, CELL.bits);
  if ((bits & BIT.accounted) !== 0 && kind !== KIND.account) return;
  const flags = flagsOfHead(head);
  if ((flags & ENTRY_FLAG.assured) !== 0) bits |= BIT.assured;
  const atMs = Math.min(words[at + ENTRY.atMs] ?? 0, latestMs);
  const ageMax = Math.max(0, latestMs - records.word(slot, WORD.openedMs));
  const ageMs = Math.min(words[at + ENTRY.ageMs] ?? 0, ageMax);
  if (records.word(slot, WORD.provenMs) === 0) records.setWord(slot, WORD.provenMs, atMs);
  const counted = isCounted(head);
  if (counted) {
    bits |= BIT.counted;
    // Packets, bytes and payload stand in the same order in both.
    for (let word = 0; word < 6; word++) {
      records.setWord(
        slot,
        WORD.initiatorPackets + word,
        words[at + ENTRY.initiatorPackets + word] ?? 0,
      );
    }
  }
  if (kind !== KIND.update || (bits & BIT.closed) === 0) bits = withState(bits, stateOfHead(head));
  if (kind === KIND.close) {
    bits |= BIT.closed;
    const isInferred = (flags & ENTRY_FLAG.inferred) !== 0;
    bits = isInferred ? bits | BIT.inferred : bits & ~BIT.inferred;
    // A close that was seen has counters only when the kernel gave its last ones with it.
    if (!isInferred && counted) bits |= BIT.accounted;
    records.setWord(slot, WORD.durationMs, ageMs);
  } else if ((bits & BIT.closed) === 0) {
    records.setWord(slot, WORD.durationMs, ageMs);
  }
  if (kind === KIND.account) bits |= BIT.closed | BIT.accounted;
  records.setCell(slot, CELL.bits, bits);
}

function withState(bits: number, state: number): number {
  return (bits & ~(15 << END_STATE_AT)) | (state << END_STATE_AT);
}
