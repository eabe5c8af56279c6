/**
 * What the server signs for a node: the receipt of a durable batch, and its answer to "where did
 * my chain end?". The node keeps both; they contradict a server that later shows another history.
 *
 *   receipt = version 1, type 2, u16 0 ‖ node id 16 ‖ epoch u32 ‖ batch u64 ‖ chain hash 32
 *             ‖ journal index u64 ‖ received ms u64                    (80 bytes) ‖ signature 64
 *   head    = version 1, type 3, u16 0 ‖ node id 16 ‖ epoch u32 ‖ batches u64 ‖ chain hash 32
 *             ‖ next seq u64 ‖ nonce 16                                (88 bytes) ‖ signature 64
 */
import { sign, verify, type KeyObject } from "node:crypto";
import { HASH_BYTES } from "./batch.ts";
import { FormatError } from "./format-error.ts";
import { NODE_ID_BYTES, SIGNATURE_BYTES } from "./identity.ts";

const RECEIPT_BYTES = 80;
const HEAD_BYTES = 88;
export const NONCE_BYTES = 16;
const RECEIPT_DOMAIN = Buffer.from("tallystick/receipt/v1\n");
const HEAD_DOMAIN = Buffer.from("tallystick/head/v1\n");

export interface Receipt {
  readonly nodeId: Uint8Array;
  readonly epoch: number;
  readonly batchNo: number;
  /** Chain hash of the batch's header: what the next batch carries as `prevHash`. */
  readonly head: Uint8Array;
  /** Place in the server's journal. */
  readonly index: number;
  /** The server's clock, Unix ms. */
  readonly receivedMs: number;
}

export interface Head {
  readonly nodeId: Uint8Array;
  readonly epoch: number;
  /** Batches accepted in this epoch; the next one has this number. */
  readonly batches: number;
  /** Chain hash of the last accepted batch of any epoch; the genesis hash before the first. */
  readonly head: Uint8Array;
  /** One past the last accepted `seq` of this epoch. */
  readonly nextSeq: number;
  /** The asker's, so that an old answer cannot be replayed to it. */
  readonly nonce: Uint8Array;
}

/** 144 bytes, signed. */
export function signReceipt(receipt: Receipt, key: KeyObject): Buffer {
  const body = Buffer.alloc(RECEIPT_BYTES);
  body.set([1, 2]);
  body.set(receipt.nodeId, 4);
  body.writeUInt32BE(receipt.epoch, 20);
  body.writeBigUInt64BE(BigInt(receipt.batchNo), 24);
  body.set(receipt.head, 32);
  body.writeBigUInt64BE(BigInt(receipt.index), 64);
  body.writeBigUInt64BE(BigInt(receipt.receivedMs), 72);
  return signed(RECEIPT_DOMAIN, body, key);
}

/** Throws `bad_receipt` for another length, type or signature. */
export function openReceipt(bytes: Uint8Array, key: KeyObject): Receipt {
  const body = verified(bytes, { length: RECEIPT_BYTES, type: 2, domain: RECEIPT_DOMAIN, key });
  return {
    nodeId: body.subarray(4, 4 + NODE_ID_BYTES),
    epoch: body.readUInt32BE(20),
    batchNo: Number(body.readBigUInt64BE(24)),
    head: body.subarray(32, 32 + HASH_BYTES),
    index: Number(body.readBigUInt64BE(64)),
    receivedMs: Number(body.readBigUInt64BE(72)),
  };
}

/** 152 bytes, signed. */
export function signHead(head: Head, key: KeyObject): Buffer {
  const body = Buffer.alloc(HEAD_BYTES);
  body.set([1, 3]);
  body.set(head.nodeId, 4);
  body.writeUInt32BE(head.epoch, 20);
  body.writeBigUInt64BE(BigInt(head.batches), 24);
  body.set(head.head, 32);
  body.writeBigUInt64BE(BigInt(head.nextSeq), 64);
  body.set(head.nonce, 72);
  return signed(HEAD_DOMAIN, body, key);
}

/** Throws `bad_receipt` for another length, type, signature or nonce. */
export function openHead(bytes: Uint8Array, key: KeyObject, nonce: Uint8Array): Head {
  const body = verified(bytes, { length: HEAD_BYTES, type: 3, domain: HEAD_DOMAIN, key });
  if (!body.subarray(72, 88).equals(nonce)) {
    throw new FormatError("bad_receipt", "the head answers another request");
  }
  return {
    nodeId: body.subarray(4, 4 + NODE_ID_BYTES),
    epoch: body.readUInt32BE(20),
    batches: Number(body.readBigUInt64BE(24)),
    head: body.subarray(32, 32 + HASH_BYTES),
    nextSeq: Number(body.readBigUInt64BE(64)),
    nonce: body.subarray(72, 88),
  };
}

function signed(domain: Buffer, body: Buffer, key: KeyObject): Buffer {
  return Buffer.concat([body, sign(null, Buffer.concat([domain, body]), key)]);
}

interface Expected {
  readonly length: number;
  readonly type: number;
  readonly domain: Buffer;
  readonly key: KeyObject;
}

function verified(bytes: Uint8Array, expected: Expected): Buffer {
  const { length, type, domain, key } = expected;
  const all = Buffer.from(bytes);
  const body = all.subarray(0, length);
  if (all.length !== length + SIGNATURE_BYTES || body[0] !== 1 || body[1] !== type) {
    throw new FormatError(
      "bad_receipt",
      `expected ${length + SIGNATURE_BYTES} bytes of version 1, type ${type}`,
    );
  }
  if (!verify(null, Buffer.concat([domain, body]), key, all.subarray(length))) {
    throw new FormatError("bad_receipt", "the signature is not the server's");
  }
  return body;
}
