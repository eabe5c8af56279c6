/** Sealing: giving content its place in the chain, and signing it. Pure. */
import {
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  HASH_BYTES,
  signHeader,
} from "../../format/batch.ts";
import { compressPayload, encodeEntries } from "../../format/payload.ts";
import type { Entry } from "../../format/entry.ts";
import { createHash } from "node:crypto";
import type { Content, Moment } from "../spool/body.ts";
import type { ChainPosition } from "./chain-position.ts";
import type { Identity } from "../identity.ts";

export interface Sealed {
  readonly frame: Buffer;
  readonly position: ChainPosition;
}

/** The next batch after `position`. `flags` are added to the content's own. */
export function seal(
  content: Content,
  position: ChainPosition,
  signer: { readonly identity: Identity; readonly flags?: number },
): Sealed {
  const { identity, flags = 0 } = signer;
  const payload = compressPayload(content.raw);
  const headerBytes = encodeHeader({
    flags: content.flags | flags,
    nodeId: identity.nodeId,
    keyId: identity.keyId,
    epoch: position.epoch,
    entryCount: content.count,
    batchNo: position.batches,
    seqFirst: content.seqFirst,
    firstAtMs: content.firstAtMs,
    lastAtMs: content.lastAtMs,
    closedAtMs: content.closedAtMs,
    completeToMs: content.completeToMs,
    bootAtMs: content.bootAtMs,
    payloadBytes: payload.length,
    rawBytes: content.raw.length,
    payloadHash: createHash("sha256").update(payload).digest(),
    entriesRoot: Buffer.alloc(HASH_BYTES),
    prevHash: position.head,
    seenSize: 0,
    seenRoot: Buffer.alloc(HASH_BYTES),
  });
  return {
    frame: encodeFrame(headerBytes, signHeader(headerBytes, identity.key), payload),
    position: {
      epoch: position.epoch,
      batches: position.batches + 1,
      head: chainHash(headerBytes),
      nextSeq: content.seqFirst + content.count,
    },
  };
}

/** Content of entries that never were a body: a heartbeat, the first batch of an epoch. */
export function contentOfEntries(
  entries: readonly Entry[],
  seqFirst: number,
  moment: Moment,
): Content {
  const raw = Buffer.from(encodeEntries(entries, seqFirst));
  const times = entries.map((entry) => entry.atMs);
  const none = entries.length === 0;
  return {
    seqFirst,
    count: entries.length,
    firstAtMs: none ? moment.closedAtMs : Math.min(...times),
    lastAtMs: none ? moment.closedAtMs : Math.max(...times),
    endAtMs: times.at(-1) ?? 0,
    ...moment,
    rawBytes: raw.length,
    flags: none ? FLAG.heartbeat : 0,
    raw,
  };
}
