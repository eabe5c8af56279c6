/**
 * Which halves are to be looked at again because something that they are judged by changed, other
 * than a watermark: a node left or came back, its clock became known or was set, an address is claimed by
 * somebody else. Such things are rare, and then all records are gone through once at the tick. So it
 * makes no difference when else a half is looked at, and a restart may look at all of them.
 */
import type { AddressBook } from "../node/address-book.ts";
import { CELL, FORWARDER, Half, type HalfRecords, type Names } from "../half/half-records.ts";
import { MARK, slotHasMark } from "../half/half-state.ts";
import { sweepOf } from "./judge.ts";
import type { NodeStream } from "../node/node-stream.ts";

interface TurnParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly book: AddressBook;
  readonly streams: readonly NodeStream[];
  numberOf(address: string): number;
  /** Slots of all other halves of its tuples; valid until the next call. */
  mates(half: Half): readonly number[];
  /** Its verdict may be another one now. */
  again(half: Half): void;
  /** The names in its row may be others now. */
  renamed(half: Half): void;
}

export class Turns {
  readonly #parts: TurnParts;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /** At each tick, before anything is decided. */
  review(): void {
    const { streams, book } = this.#parts;
    const numberOf = (address: string): number => this.#parts.numberOf(address);
    const turned = new Set<number>();
    const swept = new Set<number>();
    const addresses = new Set(book.takeTurned().map(numberOf));
    for (const stream of streams) {
      const { watermarkMs, sealedToMs } = stream.memory;
      if (sweepOf(watermarkMs) !== sweepOf(sealedToMs)) swept.add(stream.number);
      if (!stream.turned) continue;
      stream.turned = false;
      turned.add(stream.number);
      for (const address of Object.values(stream.memory.addresses).flat())
        addresses.add(numberOf(address));
    }
    if (turned.size + swept.size + addresses.size === 0) return;
    this.#reviewAll({ turned, swept, addresses });
  }

  /** By the cells of each record: there are many, and hardly any of them is concerned. */
  #reviewAll({ turned, swept, addresses }: Turned): void {
    const { records, names } = this.#parts;
    const [isTurned, isSwept] = [flagsOf(turned), flagsOf(swept)];
    const isNamed = addresses.size === 0 ? undefined : flagsOf(addresses);
    const half = new Half(records, names, 0);
    for (let slot = 0; slot < records.end; slot++) {
      const state = records.cell(slot, CELL.state);
      if ((state & MARK.live) === 0 || (state & MARK.settled) !== 0) continue;
      const node = records.cell(slot, CELL.node);
      const isOfNode = isTurned[node] === 1 || isSwept[node] === 1;
      const isOfAddress =
        isNamed !== undefined &&
        (isNamed[records.cell(slot, CELL.initiatorIp)] === 1 ||
          isNamed[records.cell(slot, CELL.responderIp)] === 1);
      if (!isOfNode && !isOfAddress) continue;
      half.slot = slot;
      this.#review(half, isTurned[node] === 1, isNamed);
    }
    if (isNamed !== undefined) this.#reviewBeyond(half, isNamed);
  }

  /** Forwarders with such an address on their other side. Few records have another side, and those are listed. */
  #reviewBeyond(half: Half, isNamed: Flags): void {
    const { records } = this.#parts;
    for (const [slot, { second }] of records.rare) {
      if (second === undefined) continue;
      if (isNamed[second.initiatorIp] !== 1 && isNamed[second.responderIp] !== 1) continue;
      half.slot = slot;
      if (half.roleNumber !== FORWARDER || !slotHasMark(records, slot, MARK.live)) continue;
      if (!slotHasMark(records, slot, MARK.settled)) this.#company(half);
    }
  }

  #review(half: Half, isOfTurned: boolean, isNamed: Flags | undefined): void {
    const isForwarder = half.roleNumber === FORWARDER;
    // A forwarder took part by no address: only the ends beside it are judged by those.
    const isOfNamed =
      !isForwarder &&
      isNamed !== undefined &&
      (isNamed[half.peerIpNumber] === 1 || isNamed[half.ownIpNumber] === 1);
    const isTurned = isOfTurned || isOfNamed;
    // Where only the hour of its node is over, what is closed waits for something else.
    if (!isTurned && !isForwarder && half.closed) return;
    this.#parts.again(half);
    if (isTurned && !half.isPaired) this.#parts.renamed(half);
    if (isForwarder) this.#company(half);
  }

  /** The ends that it stands between are judged by its node and by the nodes that have the addresses on its other side. */
  #company(forwarder: Half): void {
    const { records, names } = this.#parts;
    // Looking at one of them asks for the mates of others.
    const slots = [...this.#parts.mates(forwarder)];
    for (const slot of slots) {
      if (slotHasMark(records, slot, MARK.settled)) continue;
      this.#parts.again(new Half(records, names, slot));
    }
  }
}

/** By number. */
interface Turned {
  readonly turned: ReadonlySet<number>;
  readonly swept: ReadonlySet<number>;
  readonly addresses: ReadonlySet<number>;
}

/** By number: 1 for those that are in the set. */
type Flags = Uint8Array;

function flagsOf(numbers: ReadonlySet<number>): Flags {
  let last = -1;
  for (const number of numbers) last = Math.max(last, number);
  const flags = new Uint8Array(last + 1);
  for (const number of numbers) flags[number] = 1;
  return flags;
}
