/**
 * Which halves are to be looked at again because something that they are judged by changed, other
 * than a watermark: a node left or came back, its clock became known or was set, an address is claimed by
 * somebody else. Such things are rare, and then all records are gone through once at the tick. So it
 * makes no difference when else a half is looked at, and a restart may look at all of them.
 */
import type { AddressBook } from "./address-book.ts";
import { otherOf } from "./connection.ts";
import { Half, type HalfRecords, type Names } from "./half-records.ts";
import { hasMark, MARK } from "./half-state.ts";
import { sweepOf } from "./judge.ts";
import type { NodeStream } from "./node-stream.ts";

export interface TurnParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly book: AddressBook;
  readonly streams: readonly NodeStream[];
  numberOf(address: string): number;
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
    const { records, names } = this.#parts;
    for (let slot = 0; slot < records.end; slot++) {
      const half = new Half(records, names, slot);
      if (!hasMark(half, MARK.live) || hasMark(half, MARK.settled)) continue;
      this.#review(half, { turned, swept, addresses });
    }
  }

  #review(
    half: Half,
    found: {
      readonly turned: ReadonlySet<number>;
      readonly swept: ReadonlySet<number>;
      readonly addresses: ReadonlySet<number>;
    },
  ): void {
    const { turned, swept, addresses } = found;
    const isNamed = addresses.has(half.peerIpNumber) || addresses.has(half.ownIpNumber);
    const isTurned = turned.has(half.nodeNumber) || isNamed || hasMark(half, MARK.forwarded);
    const isSwept = !half.closed && swept.has(half.nodeNumber);
    if (isTurned || isSwept) this.#parts.again(half);
    if (isTurned && otherOf(half) === undefined) this.#parts.renamed(half);
  }
}
