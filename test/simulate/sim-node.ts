/**
 * A node without a kernel: makes the same signed, chained batches as an agent, from entries that a
 * test hands it. Time is the test's.
 */
import type { KeyObject } from "node:crypto";
import {
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
  type BatchHeader,
} from "../../src/format/batch.ts";
import type { Entry } from "../../src/format/entry.ts";
import {
  domainHash,
  keyIdOf,
  nodeIdOf,
  privateKeyFromSeed,
  rawPublicKey,
} from "../../src/format/identity.ts";
import { createHash } from "node:crypto";
import { compressPayload, encodeEntries } from "../../src/format/payload.ts";

export type Draft = Entry extends infer E ? (E extends { openSeq: number } ? E : E) : never;

export class SimNode {
  readonly name: string;
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly nodeId: Buffer;
  readonly id: string;
  epoch = 0;
  batchNo = 0;
  nextSeq = 0;
  head: Buffer;
  #pending: Entry[] = [];

  constructor(name: string) {
    this.name = name;
    this.key = privateKeyFromSeed(domainHash("tallystick/test-seed\n", Buffer.from(name)));
    this.publicKey = rawPublicKey(this.key);
    this.nodeId = nodeIdOf(this.publicKey);
    this.id = this.nodeId.toString("hex");
    this.head = genesisHash(this.publicKey);
  }

  /** Numbers an entry and keeps it for the next batch. */
  emit(entry: Entry): number {
    this.#pending.push(entry);
    return this.nextSeq + this.#pending.length - 1;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Closes, seals and signs what is pending; `change` may alter the header before it is signed. */
  seal(closedAtMs: number, change: Partial<BatchHeader> = {}): Buffer {
    const entries = this.#pending;
    this.#pending = [];
    const raw = Buffer.from(encodeEntries(entries, this.nextSeq));
    const payload = compressPayload(raw);
    const times = entries.map((entry) => entry.atMs);
    const header: BatchHeader = {
      flags: entries.length === 0 ? FLAG.heartbeat : 0,
      nodeId: this.nodeId,
      keyId: keyIdOf(this.publicKey),
      epoch: this.epoch,
      entryCount: entries.length,
      batchNo: this.batchNo,
      seqFirst: this.nextSeq,
      firstAtMs: times.length === 0 ? closedAtMs : times.reduce((a, b) => Math.min(a, b)),
      lastAtMs: times.length === 0 ? closedAtMs : times.reduce((a, b) => Math.max(a, b)),
      closedAtMs,
      completeToMs: closedAtMs,
      bootAtMs: 1_700_000_000_000,
      payloadBytes: payload.length,
      rawBytes: raw.length,
      payloadHash: createHash("sha256").update(payload).digest(),
      entriesRoot: Buffer.alloc(32),
      prevHash: this.head,
      seenSize: 0,
      seenRoot: Buffer.alloc(32),
      ...change,
    };
    const headerBytes = encodeHeader(header);
    this.head = chainHash(headerBytes);
    this.batchNo = header.batchNo + 1;
    this.nextSeq = header.seqFirst + entries.length;
    return encodeFrame(headerBytes, signHeader(headerBytes, this.key), payload);
  }
}
