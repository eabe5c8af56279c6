/**
 * A node without a kernel: signs and chains batches as an agent does, or not at all as it should,
 * from entries that a test hands it. Time is the test's.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import {
  type BatchHeader,
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
} from "../../src/format/batch.ts";
import { signHeadRequest } from "../../src/format/enrolment.ts";
import type { Entry } from "../../src/format/entry.ts";
import {
  domainHash,
  keyIdOf,
  nodeIdOf,
  privateKeyFromSeed,
  rawPublicKey,
} from "../../src/format/identity.ts";
import { compressPayload, encodeEntries } from "../../src/format/payload.ts";
import type { KnownNode } from "../../src/ingest/node-directory.ts";

export interface Sealed {
  readonly header: BatchHeader;
  readonly frame: Buffer;
}

/** What a batch differs in from the next honest one. */
export interface SignOptions {
  readonly entries?: readonly Entry[];
  /** Instead of the entries' own NDJSON. */
  readonly raw?: Uint8Array;
  /** Instead of the compressed NDJSON. */
  readonly payload?: Uint8Array;
  /** Fields set after everything else, before signing. */
  readonly header?: Partial<BatchHeader>;
  readonly key?: KeyObject;
}

/** Where a node stands in its chain. */
export type SimPlace = Pick<SimNode, "epoch" | "batchNo" | "head" | "nextSeq">;

/** By its clock, unless a test says otherwise. */
export const BOOT_AT_MS = 1_700_000_000_000;

export class SimNode {
  readonly name: string;
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly nodeId: Buffer;
  readonly id: string;
  epoch = 0;
  /** Of the next batch. */
  batchNo = 0;
  nextSeq = 0;
  head: Buffer;
  /** Time of the entries that it makes up. */
  atMs = 1_800_000_000_000;
  #pending: Entry[] = [];

  /** The same name has the same key; without one it is a new key. */
  constructor(name?: string) {
    this.name = name ?? "";
    this.key =
      name === undefined
        ? generateKeyPairSync("ed25519").privateKey
        : privateKeyFromSeed(domainHash("tallystick/test-seed\n", Buffer.from(name)));
    this.publicKey = rawPublicKey(this.key);
    this.nodeId = nodeIdOf(this.publicKey);
    this.id = this.nodeId.toString("hex");
    this.head = genesisHash(this.publicKey);
  }

  /** As the server knows it. */
  known(state: KnownNode["state"] = "active"): KnownNode {
    const publicKeyBytes = this.publicKey;
    const publicKey = createPublicKey(this.key);
    return { publicKey, publicKeyBytes, keyId: keyIdOf(publicKeyBytes), state };
  }

  /** Numbers an entry and keeps it for `seal`. */
  emit(entry: Entry): number {
    this.#pending.push(entry);
    return this.nextSeq + this.#pending.length - 1;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Signs what is pending, and moves on; `change` may alter the header before it is signed. */
  seal(closedAtMs: number, change: Partial<BatchHeader> = {}): Buffer {
    const entries = this.#pending;
    this.#pending = [];
    const isEmpty = entries.length === 0;
    const times = {
      closedAtMs,
      completeToMs: closedAtMs,
      ...(isEmpty ? { firstAtMs: closedAtMs, lastAtMs: closedAtMs } : {}),
    };
    const header = { flags: isEmpty ? FLAG.heartbeat : 0, ...times, ...change };
    return this.next({ entries, header }).frame;
  }

  /** A signed batch at this node's place in its chain; the place does not move. */
  sign(options: SignOptions = {}): Sealed {
    const entries = options.entries ?? [this.logEntry()];
    const raw = options.raw ?? Buffer.from(encodeEntries(entries, this.nextSeq));
    const payload = options.payload ?? compressPayload(raw);
    const header: BatchHeader = {
      flags: this.batchNo === 0 && this.epoch === 0 ? FLAG.epochStart : 0,
      nodeId: this.nodeId,
      keyId: keyIdOf(this.publicKey),
      epoch: this.epoch,
      entryCount: entries.length,
      batchNo: this.batchNo,
      seqFirst: this.nextSeq,
      ...this.#timesOf(entries),
      bootAtMs: BOOT_AT_MS,
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
    const signature = signHeader(headerBytes, options.key ?? this.key);
    return { header, frame: encodeFrame(headerBytes, signature, payload) };
  }

  /** Moves on as if the batch was accepted. */
  moveOn({ header }: Sealed): void {
    this.epoch = header.epoch;
    this.batchNo = header.batchNo + 1;
    this.head = chainHash(encodeHeader(header));
    this.nextSeq = header.seqFirst + header.entryCount;
  }

  /** The next honest batch; the node moves on. */
  next(options: SignOptions = {}): Sealed {
    const sealed = this.sign(options);
    this.moveOn(sealed);
    return sealed;
  }

  /** Goes back to where another one, or an earlier self, was. */
  rewind({ epoch, batchNo, head, nextSeq }: SimPlace): void {
    Object.assign(this, { epoch, batchNo, head, nextSeq });
  }

  place(): SimPlace {
    const { epoch, batchNo, head, nextSeq } = this;
    return { epoch, batchNo, head, nextSeq };
  }

  /** The first batch of the next epoch. */
  nextEpoch(): Sealed {
    const entry: Entry = {
      kind: "rollback",
      atMs: this.atMs,
      cause: "state",
      oldEpoch: this.epoch,
      oldBatch: this.batchNo - 1,
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
    const signature = signHeadRequest({ nodeId: this.nodeId, nonce }, this.key);
    return {
      node: this.id,
      nonce: nonce.toString("base64url"),
      signature: signature.toString("base64url"),
    };
  }

  #timesOf(
    entries: readonly Entry[],
  ): Pick<BatchHeader, "firstAtMs" | "lastAtMs" | "closedAtMs" | "completeToMs"> {
    const times = entries.map((entry) => entry.atMs);
    const none = times.length === 0;
    return {
      firstAtMs: none ? this.atMs : times.reduce((a, b) => Math.min(a, b)),
      lastAtMs: none ? this.atMs : times.reduce((a, b) => Math.max(a, b)),
      closedAtMs: this.atMs,
      completeToMs: this.atMs,
    };
  }
}
