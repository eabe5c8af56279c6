/**
 * One node of the mesh: its key, its clock, its place in its chain, and the entries that wait for
 * the next batch. It seals as an agent does (src/agent/chain/seal.ts), from bytes instead of
 * entries. Times are milliseconds since the beginning of the run, true time, unless said otherwise.
 */
import { createHash, type KeyObject } from "node:crypto";
import {
  type BatchHeader,
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
} from "../../../src/format/batch.ts";
import {
  domainHash,
  keyIdOf,
  nodeIdOf,
  privateKeyFromSeed,
  rawPublicKey,
} from "../../../src/format/identity.ts";
import { compressPayload } from "../../../src/format/payload.ts";
import { LineWriter } from "./line-writer.ts";

/** Unix ms of the beginning of every run. */
export const START_MS = 1_800_000_000_000;

const ZEROS = Buffer.alloc(32);

export interface ClockFault {
  readonly offsetMs: number;
  /** Parts per million by which it runs fast. */
  readonly driftPpm: number;
}

export interface Sealed {
  readonly node: MeshNode;
  readonly header: BatchHeader;
  readonly frame: Buffer;
}

/** `stopped`: nobody observes, batches may still go. `refused`: the person opted out, nothing goes. */
export type Presence = "observing" | "stopped" | "refused";

export class MeshNode {
  readonly index: number;
  readonly name: string;
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly nodeId: Buffer;
  readonly id: string;
  readonly writer = new LineWriter();
  readonly isRealTime: boolean;
  presence: Presence = "observing";
  /** Its clock was set by so much, in all. */
  stepMs = 0;
  bootAtMs: number;
  epoch = 0;
  batchNo = 0;
  /** Of the next batch. */
  seqFirst = 0;
  head: Buffer;
  /** Its own clock, Unix ms. */
  completeToMs = 0;
  sealedMs = 0;
  readonly #clock: ClockFault;
  readonly #keyId: Buffer;

  constructor(index: number, seed: number, traits: { clock: ClockFault; isRealTime: boolean }) {
    this.index = index;
    this.name = `node-${index}`;
    const name = Buffer.from(`${seed} ${this.name}`);
    this.key = privateKeyFromSeed(domainHash("tallystick/test-seed\n", name));
    this.publicKey = rawPublicKey(this.key);
    this.nodeId = nodeIdOf(this.publicKey);
    this.id = this.nodeId.toString("hex");
    this.#keyId = keyIdOf(this.publicKey);
    this.head = genesisHash(this.publicKey);
    this.isRealTime = traits.isRealTime;
    this.#clock = traits.clock;
    this.bootAtMs = Math.round(START_MS + traits.clock.offsetMs - 86_400_000 - index * 1_000);
  }

  /** Its own clock, Unix ms. */
  clockMs(trueMs: number): number {
    return START_MS + this.saidMs(trueMs);
  }

  /** Its own clock, since the beginning of the run. */
  saidMs(trueMs: number): number {
    const { offsetMs, driftPpm } = this.#clock;
    return Math.round(trueMs + offsetMs + (trueMs * driftPpm) / 1_000_000 + this.stepMs);
  }

  /** Somebody set its clock. */
  step(byMs: number): void {
    this.stepMs += byMs;
    this.bootAtMs += byMs;
  }

  /** The number that the next entry will have. */
  get nextSeq(): number {
    return this.seqFirst + this.writer.count;
  }

  say(kind: string, trueMs: number, members: object): number {
    const seq = this.nextSeq;
    this.writer.object(kind, this.clockMs(trueMs), JSON.stringify(members));
    return seq;
  }

  /** All events before `fenceMs` have been read. */
  fence(fenceMs: number): void {
    if (this.presence !== "observing") return;
    this.completeToMs = Math.max(this.completeToMs, this.clockMs(fenceMs));
  }

  /** The next batch of its chain. */
  seal(trueMs: number, flags = 0): Sealed {
    const { writer } = this;
    const sealed = this.sign(writer.text, trueMs, {
      flags: flags | this.#flags(),
      entryCount: writer.count,
      firstAtMs: writer.count === 0 ? this.clockMs(trueMs) : writer.firstAtMs,
      lastAtMs: writer.count === 0 ? this.clockMs(trueMs) : writer.lastAtMs,
    });
    writer.clear();
    this.moveOn(sealed.header);
    this.sealedMs = trueMs;
    return sealed;
  }

  /** A signed batch with this text; the node's place in its chain does not move. */
  sign(text: Uint8Array, trueMs: number, told: Partial<BatchHeader>): Sealed {
    const payload = compressPayload(text);
    const header: BatchHeader = {
      flags: 0,
      nodeId: this.nodeId,
      keyId: this.#keyId,
      epoch: this.epoch,
      entryCount: 0,
      batchNo: this.batchNo,
      seqFirst: this.seqFirst,
      firstAtMs: 0,
      lastAtMs: 0,
      closedAtMs: this.clockMs(trueMs),
      completeToMs: this.completeToMs,
      bootAtMs: this.bootAtMs,
      payloadBytes: payload.length,
      rawBytes: text.length,
      payloadHash: createHash("sha256").update(payload).digest(),
      entriesRoot: ZEROS,
      prevHash: this.head,
      seenSize: 0,
      seenRoot: ZEROS,
      ...told,
    };
    const headerBytes = encodeHeader(header);
    const frame = encodeFrame(headerBytes, signHeader(headerBytes, this.key), payload);
    return { node: this, header, frame };
  }

  /** What comes next follows this batch. */
  moveOn(header: BatchHeader): void {
    this.head = chainHash(encodeHeader(header));
    this.batchNo = header.batchNo + 1;
    this.seqFirst = header.seqFirst + header.entryCount;
  }

  #flags(): number {
    const first = this.batchNo === 0 ? FLAG.epochStart : 0;
    return first | (this.writer.count === 0 ? FLAG.heartbeat : 0);
  }
}
