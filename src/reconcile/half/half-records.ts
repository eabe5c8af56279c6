/**
 * Halves as records of fixed length in one buffer outside the heap. There are millions of them at a
 * time, each touched a few times and then forgotten: as objects they would cost the collector more
 * than the comparison itself. A slot is a record's number; `Half` reads and writes one.
 */
import {
  CONNECTION_STATES,
  type ConnectionState,
  type Counters,
  type PayloadBytes,
  type Role,
} from "../../format/entry.ts";

/** Words of 8 bytes in a record: 160 bytes. */
const WORDS = 20;
/** Numbers up to 2^53, each in a word of its own. */
export const WORD = {
  seq: 0,
  openedMs: 1,
  serverMs: 2,
  durationMs: 3,
  /** Node clock: the entry that first showed that the peer must have a half too; 0 before. */
  provenMs: 4,
  receivedMs: 5,
  initiatorPackets: 6,
  initiatorBytes: 7,
  responderPackets: 8,
  responderBytes: 9,
  initiatorPayload: 10,
  responderPayload: 11,
  index: 12,
} as const;
/** Numbers of 32 bits, two to a word. */
export const CELL = {
  node: 26,
  epoch: 27,
  initiatorIp: 28,
  responderIp: 29,
  /** Initiator's in the high half. */
  ports: 30,
  bits: 31,
  /** Slot of the other half plus one, or 0. */
  partner: 32,
  /** Hash of the second tuple of a forwarder that translates. */
  secondHash: 33,
  /** Flags and verdict (half-state.ts). */
  state: 34,
  generation: 35,
  tupleHash: 36,
  /** Changes whenever its plans (waiting.ts) count no more. */
  plans: 37,
  network: 38,
} as const;

/** In `bits`; role, end state and protocol stand above them. */
export const BIT = {
  pickup: 1,
  assured: 2,
  inferred: 4,
  counted: 8,
  closed: 16,
  accounted: 32,
  cutOff: 64,
  /** Has more than fits the record. */
  rare: 128,
} as const;
export const ROLE_AT = 8;
export const END_STATE_AT = 10;
export const PROTOCOL_AT = 16;
export const NO_END_STATE = 15;

const ROLES: readonly Role[] = ["initiator", "responder", "forwarder"];
export const FORWARDER = 2;

const SLOTS_MIN = 1024;

/** A tuple by the numbers of its addresses. */
export interface NumberedTuple {
  readonly initiatorIp: number;
  readonly initiatorPort: number;
  readonly responderIp: number;
  readonly responderPort: number;
}

/** What few halves have. */
interface RareParts {
  /**
   * Where the node translated addresses, the tuple on the other side of it: what the responder sees
   * for a forwarder, what its own programs see for an end.
   */
  second?: NumberedTuple;
  /** The entry that proves the excuse. */
  proof?: EntryPlace;
}

/** Where an entry stands. */
export interface EntryPlace {
  readonly index: number;
  readonly seq: number;
}

export class HalfRecords {
  f64 = new Float64Array(SLOTS_MIN * WORDS);
  i32 = new Int32Array(this.f64.buffer);
  readonly rare = new Map<number, RareParts>();
  #capacity = SLOTS_MIN;
  /** Slots below were given out at least once. */
  #used = 0;
  #free: number[] = [];
  #count = 0;

  /** Records in use. */
  get count(): number {
    return this.#count;
  }

  /** One past the highest slot ever in use. */
  get end(): number {
    return this.#used;
  }

  /** A slot whose record is all zero, but for its generation and the number of its plans. */
  allocate(): number {
    this.#count++;
    const again = this.#free.pop();
    if (again !== undefined) return again;
    if (this.#used === this.#capacity) this.#grow();
    return this.#used++;
  }

  rareOf(slot: number): RareParts {
    let parts = this.rare.get(slot);
    if (parts === undefined) {
      parts = {};
      this.rare.set(slot, parts);
      this.setCell(slot, CELL.bits, this.cell(slot, CELL.bits) | BIT.rare);
    }
    return parts;
  }

  release(slot: number): void {
    const { f64 } = this;
    const generation = this.cell(slot, CELL.generation);
    const plans = this.cell(slot, CELL.plans);
    if ((this.cell(slot, CELL.bits) & BIT.rare) !== 0) this.rare.delete(slot);
    // Not `fill`: for so few words the call costs more than the stores.
    for (let at = slot * WORDS, end = at + WORDS; at < end; at++) f64[at] = 0;
    this.setCell(slot, CELL.generation, (generation + 1) | 0);
    this.setCell(slot, CELL.plans, (plans + 1) | 0);
    this.#free.push(slot);
    this.#count--;
  }

  word(slot: number, word: number): number {
    return this.f64[slot * WORDS + word] ?? 0;
  }

  setWord(slot: number, word: number, value: number): void {
    this.f64[slot * WORDS + word] = value;
  }

  cell(slot: number, cell: number): number {
    return this.i32[slot * (WORDS * 2) + cell] ?? 0;
  }

  setCell(slot: number, cell: number, value: number): void {
    this.i32[slot * (WORDS * 2) + cell] = value;
  }

  /** Corrects when it began: its node's clock is known better now. */
  shift(slot: number, byMs: number): void {
    this.setWord(slot, WORD.serverMs, this.word(slot, WORD.serverMs) + byMs);
  }

  #grow(): void {
    this.#capacity *= 2;
    const larger = new Float64Array(this.#capacity * WORDS);
    larger.set(this.f64);
    this.f64 = larger;
    this.i32 = new Int32Array(larger.buffer);
  }
}

/** The number of a half's role, by its slot: for loops over records, without a window on each. */
export function roleAt(records: HalfRecords, slot: number): number {
  return (records.cell(slot, CELL.bits) >> ROLE_AT) & 3;
}

/** As `roleAt`. */
export function protocolAt(records: HalfRecords, slot: number): number {
  return (records.cell(slot, CELL.bits) >> PROTOCOL_AT) & 255;
}

/** A window on each of these slots. */
export function windowsOn(
  { records, names }: { readonly records: HalfRecords; readonly names: Names },
  slots: readonly number[],
): Half[] {
  return slots.map((slot) => new Half(records, names, slot));
}

/** Texts and names behind the numbers of a record. */
export interface Names {
  addressOf(number: number): string;
  /** An IPv4 address as a number, which orders it; NaN for any other. */
  ipv4Of(number: number): number;
  networkOf(number: number): string;
  nodeOf(number: number): HalfOwner;
}

/** The node that recorded a half: hex id and name. */
export interface HalfOwner {
  readonly id: string;
  readonly name: string;
}

/** One end's record of a connection, as far as its entries have arrived: a window on its slot. */
export class Half {
  readonly records: HalfRecords;
  readonly names: Names;
  slot: number;

  constructor(records: HalfRecords, names: Names, slot: number) {
    this.records = records;
    this.names = names;
    this.slot = slot;
  }

  /** A window that stays, where the one that is handed around moves on. */
  copy(): Half {
    return new Half(this.records, this.names, this.slot);
  }

  get node(): HalfOwner {
    return this.names.nodeOf(this.nodeNumber);
  }
  get nodeNumber(): number {
    return this.records.cell(this.slot, CELL.node);
  }
  get epoch(): number {
    return this.records.cell(this.slot, CELL.epoch) >>> 0;
  }
  get seq(): number {
    return this.records.word(this.slot, WORD.seq);
  }
  /** Journal index of the batch with the open, and when the server received it. */
  get index(): number {
    return this.records.word(this.slot, WORD.index);
  }
  get receivedMs(): number {
    return this.records.word(this.slot, WORD.receivedMs);
  }
  /** The node's own clock. */
  get openedMs(): number {
    return this.records.word(this.slot, WORD.openedMs);
  }
  /** The open on the server's clock, as far as is known how the two differ. */
  get serverMs(): number {
    return this.records.word(this.slot, WORD.serverMs);
  }
  /** Of a half that is not closed: how old it was by its newest entry. */
  get durationMs(): number {
    return this.records.word(this.slot, WORD.durationMs);
  }
  /** The node's own clock, of a half that is not closed: time of its newest entry. */
  get heardMs(): number {
    return this.openedMs + this.durationMs;
  }
  /** The node's own clock: the entry that first showed that its peer must have a half; 0 before. */
  get provenMs(): number {
    return this.records.word(this.slot, WORD.provenMs);
  }
  /** On the server's clock; meaningful once closed. */
  get closedServerMs(): number {
    return this.serverMs + this.durationMs;
  }
  /** Slot of the other half, or -1. */
  get partner(): number {
    return this.records.cell(this.slot, CELL.partner) - 1;
  }
  get isPaired(): boolean {
    return this.partner !== -1;
  }

  get bits(): number {
    return this.records.cell(this.slot, CELL.bits);
  }
  has(bit: number): boolean {
    return (this.bits & bit) !== 0;
  }
  set(bit: number): void {
    this.records.setCell(this.slot, CELL.bits, this.bits | bit);
  }
  get pickup(): boolean {
    return this.has(BIT.pickup);
  }
  get assured(): boolean {
    return this.has(BIT.assured);
  }
  get inferred(): boolean {
    return this.has(BIT.inferred);
  }
  get closed(): boolean {
    return this.has(BIT.closed);
  }
  /** The final counters are in. */
  get accounted(): boolean {
    return this.has(BIT.accounted);
  }
  /** Its node began a new epoch: nothing more can refer to it. */
  get cutOff(): boolean {
    return this.has(BIT.cutOff);
  }

  get roleNumber(): number {
    return roleAt(this.records, this.slot);
  }
  get role(): Role {
    return ROLES[this.roleNumber] ?? "initiator";
  }
  get protocol(): number {
    return protocolAt(this.records, this.slot);
  }
  /** Zeek's state by its newest entry; empty before the second one. */
  get state(): ConnectionState | "" {
    return CONNECTION_STATES[(this.bits >> END_STATE_AT) & 15] ?? "";
  }

  get initiatorIpNumber(): number {
    return this.records.cell(this.slot, CELL.initiatorIp);
  }
  get responderIpNumber(): number {
    return this.records.cell(this.slot, CELL.responderIp);
  }
  get initiatorIp(): string {
    return this.names.addressOf(this.initiatorIpNumber);
  }
  get responderIp(): string {
    return this.names.addressOf(this.responderIpNumber);
  }
  get initiatorPort(): number {
    return this.records.cell(this.slot, CELL.ports) >>> 16;
  }
  get responderPort(): number {
    return this.records.cell(this.slot, CELL.ports) & 0xffff;
  }
  setTuple({ initiatorIp, initiatorPort, responderIp, responderPort }: NumberedTuple): void {
    this.records.setCell(this.slot, CELL.initiatorIp, initiatorIp);
    this.records.setCell(this.slot, CELL.responderIp, responderIp);
    this.records.setCell(this.slot, CELL.ports, (initiatorPort << 16) | responderPort);
  }
  get networkNumber(): number {
    return this.records.cell(this.slot, CELL.network);
  }
  get network(): string {
    return this.names.networkOf(this.networkNumber);
  }
  get second(): NumberedTuple | undefined {
    return this.has(BIT.rare) ? this.records.rare.get(this.slot)?.second : undefined;
  }

  get counters(): Counters | undefined {
    if (!this.has(BIT.counted)) return undefined;
    const { records, slot } = this;
    return {
      initiatorPackets: records.word(slot, WORD.initiatorPackets),
      initiatorBytes: records.word(slot, WORD.initiatorBytes),
      responderPackets: records.word(slot, WORD.responderPackets),
      responderBytes: records.word(slot, WORD.responderBytes),
    };
  }

  /** What TCP delivered, as the socket said; undefined where it did not. */
  get payload(): PayloadBytes | undefined {
    const { records, slot } = this;
    const initiatorBytes = records.word(slot, WORD.initiatorPayload);
    const responderBytes = records.word(slot, WORD.responderPayload);
    const isKnown = this.has(BIT.counted) && initiatorBytes >= 0 && responderBytes >= 0;
    return isKnown ? { initiatorBytes, responderBytes } : undefined;
  }

  /** Number of the address by which the recording node took part; a forwarder took part by none: -1. */
  get ownIpNumber(): number {
    const role = this.roleNumber;
    if (role === FORWARDER) return -1;
    return role === 0 ? this.initiatorIpNumber : this.responderIpNumber;
  }
  get peerIpNumber(): number {
    const role = this.roleNumber;
    if (role === FORWARDER) return -1;
    return role === 0 ? this.responderIpNumber : this.initiatorIpNumber;
  }
  get ownIp(): string | undefined {
    const number = this.ownIpNumber;
    return number === -1 ? undefined : this.names.addressOf(number);
  }
  get peerIp(): string | undefined {
    const number = this.peerIpNumber;
    return number === -1 ? undefined : this.names.addressOf(number);
  }
}
