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
import { putBytes, putU32, putU64, readU64 } from "./fixed-field.ts";
import { FormatError } from "./format-error.ts";
import { NODE_ID_BYTES, SIGNATURE_BYTES } from "./identity.ts";

const RECEIPT_BYTES = 80;
const HEAD_BYTES = 88;
/** Of a question, so that an old answer is none to it. */
export const NONCE_BYTES = 16;
const RECEIPT_DOMAIN = Buffer.from("tallystick/receipt/v1\n");
const HEAD_DOMAIN = Buffer.from("tallystick/head/v1\n");
const CODE = "bad_receipt";

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

/** 144 bytes, signed. Throws `bad_receipt` when a value is outside its field. */
export function signReceipt(receipt: Receipt, key: KeyObject): Buffer {
  const body = Buffer.alloc(RECEIPT_BYTES);
  body.set([1, 2]);
  putPosition(body, receipt, receipt.batchNo);
  putU64(body, receipt.index, { at: 64, code: CODE });
  putU64(body, receipt.receivedMs, { at: 72, code: CODE });
  return signed(RECEIPT_DOMAIN, body, key);
}

/** Throws `bad_receipt` for another length, type or signature. */
export function openReceipt(bytes: Uint8Array, key: KeyObject): Receipt {
  const body = verified(bytes, { length: RECEIPT_BYTES, type: 2, domain: RECEIPT_DOMAIN, key });
  return {
    nodeId: body.subarray(4, 4 + NODE_ID_BYTES),
    epoch: body.readUInt32BE(20),
    batchNo: readU64(body, 24, CODE),
    head: body.subarray(32, 32 + HASH_BYTES),
    index: readU64(body, 64, CODE),
    receivedMs: readU64(body, 72, CODE),
  };
}

/** 152 bytes, signed. Throws `bad_receipt` when a value is outside its field. */
export function signHead(head: Head, key: KeyObject): Buffer {
  const body = Buffer.alloc(HEAD_BYTES);
  body.set([1, 3]);
  putPosition(body, head, head.batches);
  putU64(body, head.nextSeq, { at: 64, code: CODE });
  putBytes(body, head.nonce, { at: 72, length: NONCE_BYTES, code: CODE });
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
    batches: readU64(body, 24, CODE),
    head: body.subarray(32, 32 + HASH_BYTES),
    nextSeq: readU64(body, 64, CODE),
    nonce: body.subarray(72, 88),
  };
}

/** What both have in common, from byte 4 to 64: a place in a node's chain. */
function putPosition(
  body: Buffer,
  { nodeId, epoch, head }: Pick<Head, "nodeId" | "epoch" | "head">,
  batches: number,
): void {
  putBytes(body, nodeId, { at: 4, length: NODE_ID_BYTES, code: CODE });
  putU32(body, epoch, { at: 20, code: CODE });
  putU64(body, batches, { at: 24, code: CODE });
  putBytes(body, head, { at: 32, length: HASH_BYTES, code: CODE });
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
  // A copy: what is kept of it must not change with the buffer that it came in.
  const all = Buffer.from(bytes);
  const body = all.subarray(0, length);
  const prefix = Buffer.from([1, type, 0, 0]);
  if (all.length !== length + SIGNATURE_BYTES || !body.subarray(0, 4).equals(prefix)) {
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
