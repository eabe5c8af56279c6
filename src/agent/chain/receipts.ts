/**
 * The server's signed answers, kept: they contradict a server that later shows another history.
 * A ring of fixed slots, so the oldest are overwritten and the file never grows past its bound.
 */
import { closeSync, constants, fdatasync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { openReceipt, type Receipt } from "../../format/receipt.ts";
import { RECEIPTS_KEPT } from "../limits.ts";

const RECEIPT_BYTES = 144;

export class Receipts {
  readonly #fd: number;
  #slot: number;
  #last: Receipt | undefined;
  #syncing = false;

  private constructor(fd: number, slot: number, last: Receipt | undefined) {
    this.#fd = fd;
    this.#slot = slot;
    this.#last = last;
  }

  static open(file: string, serverKey: KeyObject): Receipts {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
    const { slot, last } = newest(fd, serverKey);
    return new Receipts(fd, slot, last);
  }

  /** The receipt furthest along the chain. */
  get last(): Receipt | undefined {
    return this.#last;
  }

  /** Keeps a receipt that has been verified. Durable soon after; losing the last one costs nothing. */
  keep(bytes: Uint8Array, receipt: Receipt): void {
    writeSync(this.#fd, bytes, 0, RECEIPT_BYTES, this.#slot * RECEIPT_BYTES);
    this.#slot = (this.#slot + 1) % RECEIPTS_KEPT;
    this.#last = receipt;
    if (this.#syncing) return;
    this.#syncing = true;
    fdatasync(this.#fd, () => {
      this.#syncing = false;
    });
  }

  /** When the server took a batch, if its receipt is still here; else 0. */
  receivedMs(epoch: number, batchNo: number): number {
    const all = readSlots(this.#fd);
    const found = all.find(
      ({ bytes }) =>
        bytes.readUInt32BE(20) === epoch && Number(bytes.readBigUInt64BE(24)) === batchNo,
    );
    return found === undefined ? 0 : Number(found.bytes.readBigUInt64BE(72));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Slots by their plain fields, newest first; signatures are checked until one is good. */
function newest(fd: number, serverKey: KeyObject): { slot: number; last: Receipt | undefined } {
  const slots = readSlots(fd).toSorted((a, b) =>
    Buffer.compare(placeOf(b.bytes), placeOf(a.bytes)),
  );
  for (const { slot, bytes } of slots) {
    const last = verified(bytes, serverKey);
    if (last !== undefined) return { slot: (slot + 1) % RECEIPTS_KEPT, last };
  }
  return { slot: 0, last: undefined };
}

function readSlots(fd: number): { slot: number; bytes: Buffer }[] {
  const count = Math.min(Math.floor(fstatSync(fd).size / RECEIPT_BYTES), RECEIPTS_KEPT);
  const all = Buffer.alloc(count * RECEIPT_BYTES);
  readSync(fd, all, 0, all.length, 0);
  return Array.from({ length: count }, (_, slot) => ({
    slot,
    bytes: all.subarray(slot * RECEIPT_BYTES, (slot + 1) * RECEIPT_BYTES),
  }));
}

/** Epoch and batch number, big-endian: they compare as bytes. */
function placeOf(receipt: Buffer): Buffer {
  return receipt.subarray(20, 32);
}

function verified(bytes: Uint8Array, serverKey: KeyObject): Receipt | undefined {
  try {
    return openReceipt(Buffer.from(bytes), serverKey);
  } catch {
    return undefined;
  }
}
