/**
 * Connections whose rows are to be written: what changed, once each, until the range ends. A lone half
 * is held back for a moment, since its partner usually comes first and saves a row.
 */
import type { AddressBook } from "../node/address-book.ts";
import { otherOf } from "../half/connection.ts";
import { Half, type HalfRecords, type Names } from "../half/half-records.ts";
import {
  clearMark,
  hasMark,
  MARK,
  setMark,
  setSlotMark,
  slotHasMark,
  verdictOf,
} from "../half/half-state.ts";

/** A connection to be written: its halves, and the halves whose former rows are to go. */
export interface Changed {
  readonly key: Half;
  readonly other: Half | undefined;
  readonly peerName: string;
  readonly tombstones: readonly Half[];
}

interface ChangedRowsParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly book: AddressBook;
  /** Journal index of the server's last tick. */
  lastTickIndex(): number;
  /** Receive time of the newest record. */
  receivedMs(): number;
  /** Its row says that it is parked. */
  parked(half: Half): void;
  /** Its row is final: nothing asks for it any more. */
  forget(half: Half): void;
}

const NO_HALVES: readonly Half[] = [];
/** How long a lone half is held back. */
const HOLD_LONE_MS = 1_000;

export class ChangedRows {
  readonly #parts: ChangedRowsParts;
  #dirty: number[] = [];

  constructor(parts: ChangedRowsParts) {
    this.#parts = parts;
  }

  /** The row of its connection is to be written. */
  note(half: Half): void {
    const { records } = this.#parts;
    const key = hasMark(half, MARK.second) ? half.partner : half.slot;
    if (slotHasMark(records, key, MARK.dirty)) return;
    setSlotMark(records, key, MARK.dirty);
    this.#dirty.push(key);
  }

  /** Hands out what is settled, and forgets it. */
  drainSettled(write: (changed: Changed) => void): void {
    const { records, names } = this.#parts;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const slot of dirty) {
      const half = new Half(records, names, slot);
      if (!hasMark(half, MARK.dirty)) continue;
      if (!hasMark(half, MARK.settled) || hasMark(half, MARK.second)) this.#dirty.push(slot);
      else this.#writeOut(half, write);
    }
  }

  /**
   * Hands out all but what is held back; what is settled is forgotten. Returns the index of the oldest
   * record with a half that was held back and has no row.
   */
  drain(write: (changed: Changed) => void): number | undefined {
    const { records, names } = this.#parts;
    let heldFrom: number | undefined;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const slot of dirty) {
      if (!slotHasMark(records, slot, MARK.dirty)) continue;
      const half = new Half(records, names, slot);
      if (this.isHeld(half)) {
        heldFrom = Math.min(heldFrom ?? half.index, half.index);
        this.#dirty.push(slot);
        continue;
      }
      clearMark(half, MARK.dirty);
      // What became the second half of a pair since is written with its key.
      if (!hasMark(half, MARK.second)) this.#writeOut(half, write);
    }
    return heldFrom;
  }

  /** A partner may come any moment. */
  isHeld(half: Half): boolean {
    if (half.isPaired || hasMark(half, MARK.hasRow) || half.cutOff) return false;
    // Taken again after a tick, it would not be what it was.
    if (half.index <= this.#parts.lastTickIndex()) return false;
    return (
      verdictOf(half) === "pending" && this.#parts.receivedMs() - half.receivedMs < HOLD_LONE_MS
    );
  }

  #writeOut(key: Half, write: (changed: Changed) => void): void {
    const other = otherOf(key);
    const tombstones = other !== undefined && hasMark(other, MARK.hasRow) ? [other] : NO_HALVES;
    write({ key, other, peerName: this.#peerNameOf(key, other), tombstones });
    setMark(key, MARK.hasRow);
    if (other !== undefined) clearMark(other, MARK.hasRow);
    if (hasMark(key, MARK.parked)) this.#parts.parked(key);
    else if (!hasMark(key, MARK.settled)) return;
    this.#parts.forget(key);
    if (other !== undefined) this.#parts.forget(other);
  }

  #peerNameOf(key: Half, other: Half | undefined): string {
    if (other !== undefined) return "";
    const claim = this.#parts.book.lookup(key.network, key.peerIp);
    return claim.kind === "node" ? claim.node.name : "";
  }
}
