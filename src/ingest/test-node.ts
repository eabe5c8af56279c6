/** A node for tests and benchmarks: signs and chains batches as an agent does, or not at all as it should. */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import {
  type BatchHeader,
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
} from "../format/batch.ts";
import { signHeadRequest } from "../format/enrolment.ts";
import type { Entry } from "../format/entry.ts";
import { keyIdOf, nodeIdOf, privateKeyFromSeed, rawPublicKey } from "../format/identity.ts";
import { compressPayload, encodeEntries } from "../format/payload.ts";
import { createPublicKey } from "node:crypto";
import type { KnownNode } from "./node-directory.ts";

export interface Sealed {
  readonly header: BatchHeader;
  readonly frame: Buffer;
}

/** What a batch differs in from the next honest one. */
export interface SealOptions {
  readonly entries?: readonly Entry[];
  /** Instead of the entries' own NDJSON. */
  readonly raw?: Uint8Array;
  /** Instead of the compressed NDJSON. */
  readonly payload?: Uint8Array;
  /** Fields set after everything else, before signing. */
  readonly header?: Partial<BatchHeader>;
  readonly key?: KeyObject;
}

export class TestNode {
  readonly privateKey: KeyObject;
  readonly publicKeyBytes: Buffer;
  readonly nodeId: Buffer;
  readonly id: string;
  epoch = 0;
  batches = 0;
  head: Uint8Array;
  nextSeq = 0;
  /** Of the entries that it makes up. */
  atMs = 1_800_000_000_000;

  constructor(seed?: Uint8Array) {
    this.privateKey =
      seed === undefined ? generateKeyPairSync("ed25519").privateKey : privateKeyFromSeed(seed);
    this.publicKeyBytes = rawPublicKey(this.privateKey);
    this.nodeId = nodeIdOf(this.publicKeyBytes);
    this.id = this.nodeId.toString("hex");
    this.head = genesisHash(this.publicKeyBytes);
  }

  known(state: KnownNode["state"] = "active"): KnownNode {
    return {
      publicKey: createPublicKey(this.privateKey),
      publicKeyBytes: this.publicKeyBytes,
      keyId: keyIdOf(this.publicKeyBytes),
      state,
    };
  }

  /** A signed batch at this node's place in its chain; the place does not move. */
  seal(options: SealOptions = {}): Sealed {
    const entries = options.entries ?? [this.logEntry()];
    const raw = options.raw ?? Buffer.from(encodeEntries(entries, this.nextSeq));
    const payload = options.payload ?? compressPayload(raw);
    const times = entries.map((entry) => entry.atMs);
    const header: BatchHeader = {
      flags: this.batches === 0 && this.epoch === 0 ? FLAG.epochStart : 0,
      nodeId: this.nodeId,
      keyId: keyIdOf(this.publicKeyBytes),
      epoch: this.epoch,
      entryCount: entries.length,
      batchNo: this.batches,
      seqFirst: this.nextSeq,
      firstAtMs: times.length === 0 ? this.atMs : Math.min(...times),
      lastAtMs: times.length === 0 ? this.atMs : Math.max(...times),
      closedAtMs: this.atMs,
      completeToMs: this.atMs,
      bootAtMs: 1_700_000_000_000,
      payloadBytes: payload.length,
      rawBytes: raw.length,
      payloadHash: createHash("sha256").update(payload).digest(),
      entriesRoot: Buffer.alloc(32),
      prevHash: this.head,
      seenSize: 0,
      seenRoot: Buffer.alloc(32),
      ...options.header,
    };
    const headerBytes = encodeHeader(header);
    const signature = signHeader(headerBytes, options.key ?? this.privateKey);
    return { header, frame: encodeFrame(headerBytes, signature, payload) };
  }

  /** Moves on as if the batch was accepted. */
  moveOn(sealed: Sealed): void {
    this.epoch = sealed.header.epoch;
    this.batches = sealed.header.batchNo + 1;
    this.head = chainHash(encodeHeader(sealed.header));
    this.nextSeq = sealed.header.seqFirst + sealed.header.entryCount;
  }

  /** The next honest batch; the node moves on. */
  next(options: SealOptions = {}): Sealed {
    const sealed = this.seal(options);
    this.moveOn(sealed);
    return sealed;
  }

  /** Goes back to where another one, or an earlier self, was. */
  rewind(to: Pick<TestNode, "epoch" | "batches" | "head" | "nextSeq">): void {
    this.epoch = to.epoch;
    this.batches = to.batches;
    this.head = to.head;
    this.nextSeq = to.nextSeq;
  }

  place(): Pick<TestNode, "epoch" | "batches" | "head" | "nextSeq"> {
    const { epoch, batches, head, nextSeq } = this;
    return { epoch, batches, head, nextSeq };
  }

  /** The first batch of the next epoch. */
  nextEpoch(): Sealed {
    const entry: Entry = {
      kind: "rollback",
      atMs: this.atMs,
      cause: "state",
      oldEpoch: this.epoch,
      oldBatch: this.batches - 1,
      oldHead: Buffer.from(this.head).toString("hex"),
      machineId: "m",
      bootId: "b",
    };
    const header = { epoch: this.epoch + 1, batchNo: 0, flags: FLAG.epochStart };
    return this.next({ entries: [entry], header });
  }

  logEntry(body = "a line"): Entry {
    return { kind: "log", atMs: this.atMs, severity: 9, body, attributes: {} };
  }

  headRequest(): { node: string; nonce: string; signature: string } {
    const nonce = randomBytes(16);
    const signature = signHeadRequest({ nodeId: this.nodeId, nonce }, this.privateKey);
    return {
      node: this.id,
      nonce: nonce.toString("base64url"),
      signature: signature.toString("base64url"),
    };
  }
}
