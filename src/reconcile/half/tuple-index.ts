/**
 * The halves of one tuple, from either end and in either orientation: addresses and ports as they are
 * on the wire between the two, within one network. A forwarder that translates stands under both of
 * its tuples, and so leads from one end to the other.
 */
import {
  BIT,
  CELL,
  FORWARDER,
  type Half,
  type HalfRecords,
  type NumberedTuple,
  protocolAt,
  roleAt,
  WORD,
} from "./half-records.ts";
import { mixed, SlotIndex } from "./slot-index.ts";
import { INSTANCES_MAX } from "../limits.ts";

export class TupleIndex {
  #index = new SlotIndex();
  /** Node and hash of tuples without room, until one of their halves goes: so that these are not counted for each half that comes. */
  readonly #full = new Set<number>();
  readonly #records: HalfRecords;

  constructor(records: HalfRecords) {
    this.#records = records;
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.#index = new SlotIndex();
    this.#full.clear();
  }

  /**
   * Indexes a half that has come, as `put` does; undefined where it is not, because there are `INSTANCES_MAX` of its
   * node already. They are counted by the hash: a node that finds tuples with one hash gains nothing.
   */
  add(half: Half): boolean | undefined {
    if (this.#full.size > 0 && this.#isFull(half)) return undefined;
    const others = this.#put(half);
    if (others < INSTANCES_MAX) return others > 0;
    const full = this.#hashes(half).filter((hash) => this.#before(half, hash) >= INSTANCES_MAX);
    if (full.length === 0) return true;
    this.remove(half);
    for (const hash of full) this.#full.add(fullKey(half, hash));
    return undefined;
  }

  /** Indexes a half whose tuple is in its record. Returns whether another may stand under a tuple of it: nearly always not, for the first. */
  put(half: Half): boolean {
    return this.#put(half) > 0;
  }

  /** Returns how many others there are under one of its hashes. */
  #put(half: Half): number {
    const { slot } = half;
    const records = this.#records;
    const hash = hashOfFirst(records, slot);
    records.setCell(slot, CELL.tupleHash, hash);
    const others = this.#index.add(hash, slot);
    const second = secondKey(half);
    if (second === undefined) return others;
    const secondHash = hashOf(records, slot, second);
    records.setCell(slot, CELL.secondHash, secondHash);
    return Math.max(this.#index.add(secondHash, slot), others);
  }

  /** How many halves of its node under `hash` came before it in the node's chain: a restart may take up later ones first. */
  #before(half: Half, hash: number): number {
    const records = this.#records;
    const { nodeNumber, epoch, seq } = half;
    let before = 0;
    for (let at = this.#index.first(hash); at !== -1; at = this.#index.next(at, hash)) {
      const slot = this.#index.slotAt(at);
      if (records.cell(slot, CELL.node) !== nodeNumber) continue;
      if (records.cell(slot, CELL.epoch) !== epoch || records.word(slot, WORD.seq) < seq) before++;
    }
    return before;
  }

  #isFull(half: Half): boolean {
    const hashes = [hashOfFirst(this.#records, half.slot)];
    const second = secondKey(half);
    if (second !== undefined) hashes.push(hashOf(this.#records, half.slot, second));
    return hashes.some((hash) => this.#full.has(fullKey(half, hash)));
  }

  /** The hashes that it stands under. */
  #hashes(half: Half): number[] {
    const first = this.#records.cell(half.slot, CELL.tupleHash);
    if (secondKey(half) === undefined) return [first];
    return [first, this.#records.cell(half.slot, CELL.secondHash)];
  }

  remove(half: Half): void {
    const { slot } = half;
    if (this.#full.size > 0)
      for (const hash of this.#hashes(half)) this.#full.delete(fullKey(half, hash));
    this.#index.remove(this.#records.cell(slot, CELL.tupleHash), slot);
    if (secondKey(half) === undefined) return;
    this.#index.remove(this.#records.cell(slot, CELL.secondHash), slot);
  }

  /** Whether another half may stand under a tuple of this one: cheap, and nearly always not so for the first. */
  hasOthers(half: Half): boolean {
    const records = this.#records;
    if (this.#isShared(records.cell(half.slot, CELL.tupleHash), half.slot)) return true;
    if (secondKey(half) === undefined) return false;
    return this.#isShared(records.cell(half.slot, CELL.secondHash), half.slot);
  }

  /** Whether no third half may stand under the tuple of `a`, of which `b` may be the second. */
  areAlone(a: Half, b: Half): boolean {
    const hash = this.#records.cell(a.slot, CELL.tupleHash);
    for (let at = this.#index.first(hash); at !== -1; at = this.#index.next(at, hash)) {
      const slot = this.#index.slotAt(at);
      if (slot !== a.slot && slot !== b.slot) return false;
    }
    return true;
  }

  #isShared(hash: number, slot: number): boolean {
    const place = this.#index.first(hash);
    if (place === -1) return false;
    return this.#index.slotAt(place) !== slot || this.#index.next(place, hash) !== -1;
  }

  /** Puts the slots of all other halves of the same tuple into `into`, which it empties first. */
  mates(half: Half, into: number[]): void {
    into.length = 0;
    const records = this.#records;
    const own = half.slot;
    const hash = records.cell(own, CELL.tupleHash);
    for (let at = this.#index.first(hash); at !== -1; at = this.#index.next(at, hash)) {
      const slot = this.#index.slotAt(at);
      if (slot === own || !isSameSpace(records, slot, own)) continue;
      if (haveOneFirst(records, slot, own) || isSecond(records, slot, tupleOf(half)))
        into.push(slot);
    }
    const second = secondKey(half);
    if (second !== undefined) this.#collectSecond(own, second, into);
  }

  #collectSecond(own: number, tuple: NumberedTuple, into: number[]): void {
    const records = this.#records;
    const hash = records.cell(own, CELL.secondHash);
    for (let at = this.#index.first(hash); at !== -1; at = this.#index.next(at, hash)) {
      const slot = this.#index.slotAt(at);
      if (slot === own || !isSameSpace(records, slot, own)) continue;
      if (isTuple(records, slot, tuple) || isSecond(records, slot, tuple)) into.push(slot);
    }
  }
}

/** Whether two halves say themselves that they are one connection; otherwise only a forwarder does, with both tuples. */
export function haveOneTuple(a: Half, b: Half): boolean {
  const others = tuplesOf(b);
  return tuplesOf(a).some((one) => others.some((other) => isEither(one, other)));
}

function tuplesOf(half: Half): NumberedTuple[] {
  const second = secondKey(half);
  return second === undefined ? [tupleOf(half)] : [tupleOf(half), second];
}

export function tupleOf(half: Half): NumberedTuple {
  const { initiatorIpNumber, initiatorPort, responderIpNumber, responderPort } = half;
  return {
    initiatorIp: initiatorIpNumber,
    initiatorPort,
    responderIp: responderIpNumber,
    responderPort,
  };
}

/** The other tuple under which a half is found; none but those of translating forwarders have one. */
function secondKey(half: Half): NumberedTuple | undefined {
  return half.roleNumber === FORWARDER ? half.second : undefined;
}

/** Below 2^53. */
function fullKey(half: Half, hash: number): number {
  return half.nodeNumber * 2 ** 32 + (hash >>> 0);
}

/** Protocol and network. */
function isSameSpace(records: HalfRecords, a: number, b: number): boolean {
  return (
    protocolAt(records, a) === protocolAt(records, b) &&
    records.cell(a, CELL.network) === records.cell(b, CELL.network)
  );
}

/** Whether two halves have one first tuple, whichever end they say began: by their cells, for this is asked of every half. */
function haveOneFirst(records: HalfRecords, a: number, b: number): boolean {
  const initiator = records.cell(a, CELL.initiatorIp);
  const responder = records.cell(a, CELL.responderIp);
  const ports = records.cell(a, CELL.ports);
  const otherInitiator = records.cell(b, CELL.initiatorIp);
  const otherResponder = records.cell(b, CELL.responderIp);
  const otherPorts = records.cell(b, CELL.ports);
  if (initiator === otherInitiator && responder === otherResponder && ports === otherPorts)
    return true;
  const turnedPorts = (otherPorts << 16) | (otherPorts >>> 16);
  return initiator === otherResponder && responder === otherInitiator && ports === turnedPorts;
}

function isTuple(records: HalfRecords, slot: number, tuple: NumberedTuple): boolean {
  const initiatorIp = records.cell(slot, CELL.initiatorIp);
  const responderIp = records.cell(slot, CELL.responderIp);
  const ports = records.cell(slot, CELL.ports);
  return isEither(tuple, {
    initiatorIp,
    initiatorPort: ports >>> 16,
    responderIp,
    responderPort: ports & 0xffff,
  });
}

function isSecond(records: HalfRecords, slot: number, tuple: NumberedTuple): boolean {
  if ((records.cell(slot, CELL.bits) & BIT.rare) === 0) return false;
  if (roleAt(records, slot) !== FORWARDER) return false;
  const second = records.rare.get(slot)?.second;
  return second !== undefined && isEither(second, tuple);
}

/** The same two ends, of which the same one began. */
export function isSameTuple(a: NumberedTuple, b: NumberedTuple): boolean {
  return (
    a.initiatorIp === b.initiatorIp &&
    a.initiatorPort === b.initiatorPort &&
    a.responderIp === b.responderIp &&
    a.responderPort === b.responderPort
  );
}

/** The same two ends, whichever began. */
export function isEither(a: NumberedTuple, b: NumberedTuple): boolean {
  return (
    isSameTuple(a, b) ||
    (a.initiatorIp === b.responderIp &&
      a.initiatorPort === b.responderPort &&
      a.responderIp === b.initiatorIp &&
      a.responderPort === b.initiatorPort)
  );
}

/** Equal for both orientations: the ends are mixed apart from each other, and then added. */
function hashOf(records: HalfRecords, slot: number, tuple: NumberedTuple): number {
  const one = hashOfEnd(tuple.initiatorIp, tuple.initiatorPort);
  const other = hashOfEnd(tuple.responderIp, tuple.responderPort);
  return hashOfEnds(records, slot, one + other);
}

function hashOfFirst(records: HalfRecords, slot: number): number {
  const ports = records.cell(slot, CELL.ports);
  const one = hashOfEnd(records.cell(slot, CELL.initiatorIp), ports >>> 16);
  const other = hashOfEnd(records.cell(slot, CELL.responderIp), ports & 0xffff);
  return hashOfEnds(records, slot, one + other);
}

function hashOfEnd(address: number, port: number): number {
  return mixed(Math.imul(address, 0x9e37_79b1) ^ port);
}

function hashOfEnds(records: HalfRecords, slot: number, ends: number): number {
  return mixed(ends ^ protocolAt(records, slot) ^ (records.cell(slot, CELL.network) << 8));
}
