/**
 * A batch: what a node signs, chains to its predecessor and sends.
 *
 *   frame = header (232 bytes) ‖ Ed25519 signature (64) ‖ payload (payloadBytes)
 *
 * The signature covers "tallystick/batch/v1\n" ‖ header; the header covers the payload by its hash
 * and all earlier batches by `prevHash`. Integers are big-endian. The table is in docs/formats.md.
 */
import { sign, verify, type KeyObject } from "node:crypto";
import { putBytes, readU64 } from "./fixed-field.ts";
import { FormatError } from "./format-error.ts";
import { domainHash, KEY_ID_BYTES, NODE_ID_BYTES, SIGNATURE_BYTES } from "./identity.ts";
import { ENTRIES_PER_BATCH_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX, TIME_MS_END } from "./limits.ts";

/** Every header of version 1 has this length. */
export const HEADER_BYTES = 232;
/** SHA-256. */
export const HASH_BYTES = 32;
const VERSION = 1;
const TYPE_BATCH = 1;
const SIGNING_DOMAIN = Buffer.from("tallystick/batch/v1\n");

/** Bits of `flags`. A reader ignores bits that it does not know. */
export const FLAG = {
  /** No entries: the node is alive and had nothing to say. */
  heartbeat: 1,
  /** First batch of its epoch: `prevHash` is the hash that ended the former one, or the enrolment's. */
  epochStart: 2,
  /** The node ended its stream on purpose; silence after it is no finding. */
  stop: 4,
  /** The node refuses logging from here until a batch with `epochStart` or a `resume` entry. */
  optOut: 8,
} as const;

export interface BatchHeader {
  readonly flags: number;
  /** 16 bytes. */
  readonly nodeId: Uint8Array;
  /** 4 bytes: which key of the node signed. */
  readonly keyId: Uint8Array;
  /** 0 at enrolment, +1 with each honest break of the chain. */
  readonly epoch: number;
  readonly entryCount: number;
  /** 0 for the first batch of an epoch, then contiguous. */
  readonly batchNo: number;
  /** `seq` of the first entry; entry i has `seqFirst + i`. For a batch without entries: the next seq. */
  readonly seqFirst: number;
  /** Earliest and latest time of its entries; both equal `closedAtMs` when there are none. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** When the node closed the batch, its own clock. */
  readonly closedAtMs: number;
  /** The node claims to have recorded every connection event up to here; 0 before the first proof. */
  readonly completeToMs: number;
  /** When the machine booted, by the node's clock: a jump shows a clock that was set. */
  readonly bootAtMs: number;
  readonly payloadBytes: number;
  readonly rawBytes: number;
  /** SHA-256 of the compressed payload. */
  readonly payloadHash: Uint8Array;
  /** Reserved for the root of salted entry hashes; zero in version 1, whose readers do not look at it. */
  readonly entriesRoot: Uint8Array;
  /** Chain hash of the batch before this one. */
  readonly prevHash: Uint8Array;
  /** The last checkpoint of the server that the node saw; zero when none. */
  readonly seenSize: number;
  readonly seenRoot: Uint8Array;
}

export interface Batch {
  readonly header: BatchHeader;
  readonly headerBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
}

/** 232 bytes. Throws `bad_header` when a value is outside its field. */
export function encodeHeader(header: BatchHeader): Buffer {
  checkBounds(header);
  const out = Buffer.alloc(HEADER_BYTES);
  out.writeUInt8(VERSION, 0);
  out.writeUInt8(TYPE_BATCH, 1);
  out.writeUInt16BE(header.flags, 2);
  out.writeUInt32BE(header.epoch, 24);
  out.writeUInt32BE(header.entryCount, 28);
  for (const [name, at] of U64_FIELDS) out.writeBigUInt64BE(BigInt(header[name]), at);
  out.writeUInt32BE(header.payloadBytes, 88);
  out.writeUInt32BE(header.rawBytes, 92);
  for (const [name, at, length] of BYTE_FIELDS) {
    putBytes(out, header[name], { at, length, code: "bad_header" });
  }
  return out;
}

/** The inverse; the byte fields are views into `bytes`. Throws `bad_header`. */
export function decodeHeader(bytes: Uint8Array): BatchHeader {
  if (bytes.length < HEADER_BYTES) {
    throw new FormatError(
      "bad_header",
      `expected ${HEADER_BYTES} bytes of header, got ${bytes.length}`,
    );
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (buffer[0] !== VERSION || buffer[1] !== TYPE_BATCH) {
    throw new FormatError(
      "bad_header",
      `expected version ${VERSION} type ${TYPE_BATCH}, got version ${buffer[0]} type ${buffer[1]}; update the older side`,
    );
  }
  const header: BatchHeader = {
    flags: buffer.readUInt16BE(2),
    nodeId: buffer.subarray(4, 20),
    keyId: buffer.subarray(20, 24),
    epoch: buffer.readUInt32BE(24),
    entryCount: buffer.readUInt32BE(28),
    batchNo: readU64(buffer, 32, "bad_header"),
    seqFirst: readU64(buffer, 40, "bad_header"),
    firstAtMs: readU64(buffer, 48, "bad_header"),
    lastAtMs: readU64(buffer, 56, "bad_header"),
    closedAtMs: readU64(buffer, 64, "bad_header"),
    completeToMs: readU64(buffer, 72, "bad_header"),
    bootAtMs: readU64(buffer, 80, "bad_header"),
    payloadBytes: buffer.readUInt32BE(88),
    rawBytes: buffer.readUInt32BE(92),
    payloadHash: buffer.subarray(96, 128),
    entriesRoot: buffer.subarray(128, 160),
    prevHash: buffer.subarray(160, 192),
    seenSize: readU64(buffer, 192, "bad_header"),
    seenRoot: buffer.subarray(200, 232),
  };
  checkBounds(header);
  return header;
}

/** h = SHA-256("tallystick/chain/v1\n" ‖ header): what the next batch carries as `prevHash`. */
export function chainHash(headerBytes: Uint8Array): Buffer {
  return domainHash("tallystick/chain/v1\n", headerBytes);
}

/** The `prevHash` of a node's first batch: its public key, so that a chain cannot be moved to another key. */
export function genesisHash(publicKey: Uint8Array): Buffer {
  return domainHash("tallystick/genesis/v1\n", publicKey);
}

/** 64 bytes, by the node's key. */
export function signHeader(headerBytes: Uint8Array, key: KeyObject): Buffer {
  return sign(null, Buffer.concat([SIGNING_DOMAIN, headerBytes]), key);
}

/** True when the signature is the key's over exactly these bytes. */
export function verifyHeader(
  headerBytes: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return verify(null, Buffer.concat([SIGNING_DOMAIN, headerBytes]), key, signature);
}

/** What travels: the three parts one after the other. */
export function encodeFrame(
  headerBytes: Uint8Array,
  signature: Uint8Array,
  payload: Uint8Array,
): Buffer {
  return Buffer.concat([headerBytes, signature, payload]);
}

/** Splits a frame; checks lengths, not the signature nor the payload's hash. Throws `bad_header`, `bad_payload`. */
export function decodeFrame(frame: Uint8Array): Batch {
  const header = decodeHeader(frame);
  const payloadAt = HEADER_BYTES + SIGNATURE_BYTES;
  if (frame.length !== payloadAt + header.payloadBytes) {
    throw new FormatError(
      "bad_payload",
      `the header announces ${header.payloadBytes} bytes of payload, the frame has ${frame.length - payloadAt}`,
    );
  }
  return {
    header,
    headerBytes: frame.subarray(0, HEADER_BYTES),
    signature: frame.subarray(HEADER_BYTES, payloadAt),
    payload: frame.subarray(payloadAt),
  };
}

const U64_FIELDS = [
  ["batchNo", 32],
  ["seqFirst", 40],
  ["firstAtMs", 48],
  ["lastAtMs", 56],
  ["closedAtMs", 64],
  ["completeToMs", 72],
  ["bootAtMs", 80],
  ["seenSize", 192],
] as const;

const BYTE_FIELDS = [
  ["nodeId", 4, NODE_ID_BYTES],
  ["keyId", 20, KEY_ID_BYTES],
  ["payloadHash", 96, HASH_BYTES],
  ["entriesRoot", 128, HASH_BYTES],
  ["prevHash", 160, HASH_BYTES],
  ["seenRoot", 200, HASH_BYTES],
] as const;

function checkBounds(header: BatchHeader): void {
  for (const [name, max] of BOUNDS) {
    const value = header[name];
    if (Number.isSafeInteger(value) && value >= 0 && value <= max) continue;
    const isSize = (name === "payloadBytes" || name === "rawBytes") && value > max;
    throw new FormatError(
      isSize ? "payload_too_large" : "bad_header",
      `${name} is ${value}, expected an integer 0…${max}`,
    );
  }
  const problem = contradiction(header);
  if (problem !== undefined) throw new FormatError("bad_header", problem);
}

/** Readers of headers alone rely on these. */
function contradiction(header: BatchHeader): string | undefined {
  const { entryCount, rawBytes, payloadBytes } = header;
  if (header.firstAtMs > header.lastAtMs) return "firstAtMs is after lastAtMs";
  if (!Number.isSafeInteger(header.seqFirst + entryCount)) {
    return "seqFirst + entryCount is above 2^53 − 1";
  }
  const isEmpty = entryCount === 0;
  if (isEmpty !== (rawBytes === 0) || isEmpty !== (payloadBytes === 0)) {
    return `${entryCount} entries cannot have ${rawBytes} bytes of text in ${payloadBytes} bytes of payload`;
  }
  if (!isEmpty && (header.flags & FLAG.heartbeat) !== 0) return "a heartbeat has no entries";
  if (
    isEmpty &&
    (header.firstAtMs !== header.closedAtMs || header.lastAtMs !== header.closedAtMs)
  ) {
    return "without entries, firstAtMs and lastAtMs are closedAtMs";
  }
  return undefined;
}

const BOUNDS = [
  ["flags", 0xffff],
  ["epoch", 0xffff_ffff],
  ["batchNo", Number.MAX_SAFE_INTEGER],
  ["seqFirst", Number.MAX_SAFE_INTEGER],
  ["seenSize", Number.MAX_SAFE_INTEGER],
  ["entryCount", ENTRIES_PER_BATCH_MAX],
  ["payloadBytes", PAYLOAD_BYTES_MAX],
  ["rawBytes", RAW_BYTES_MAX],
  ["firstAtMs", TIME_MS_END - 1],
  ["lastAtMs", TIME_MS_END - 1],
  ["closedAtMs", TIME_MS_END - 1],
  ["completeToMs", TIME_MS_END - 1],
  ["bootAtMs", TIME_MS_END - 1],
] as const;
