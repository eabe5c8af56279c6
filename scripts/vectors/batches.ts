/**
 * One node's chain through all that can happen to it: first batch, a hole in its numbers with the
 * gap that declares it, a heartbeat, an opt-out and its end, a stop, a restart, and a new epoch.
 */
import { createHash } from "node:crypto";
import {
  type BatchHeader,
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
} from "../../src/format/batch.ts";
import type { Entry } from "../../src/format/entry.ts";
import { encodeEntries } from "../../src/format/payload.ts";
import { NODE_SEED, signer } from "./identities.ts";
import { printable } from "./receipts.ts";
import { storedFrame } from "./stored-frame.ts";

const T0_MS = 1_800_000_000_000;

interface Step {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly atMs: number;
  readonly flags?: number;
  /** Entries that were lost before this batch. */
  readonly hole?: number;
  readonly newEpoch?: true;
}

const tuple = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};
const counters = {
  initiatorPackets: 12,
  initiatorBytes: 1_420,
  responderPackets: 11,
  responderBytes: 98_304,
};
const half = { openSeq: 2, state: "SF", assured: true, counters } as const;

function steps(lostHead: string): readonly Step[] {
  return [
    {
      name: "first batch: who I am, and a connection",
      atMs: T0_MS + 500,
      flags: FLAG.epochStart,
      entries: [
        { kind: "start", atMs: T0_MS, facts: { version: "0.1.0" } },
        { kind: "addresses", atMs: T0_MS + 1, networks: { default: ["10.0.0.1"] } },
        { kind: "open", atMs: T0_MS + 40, role: "initiator", tuple, pickup: false },
        { kind: "close", atMs: T0_MS + 290, ageMs: 250, inferred: false, ...half },
      ],
    },
    { name: "heartbeat", atMs: T0_MS + 30_500, flags: FLAG.heartbeat, entries: [] },
    {
      name: "final counters of the first connection, in a later batch, and a gap of three",
      atMs: T0_MS + 129_500,
      hole: 3,
      entries: [
        {
          kind: "gap",
          atMs: T0_MS + 129_200,
          cause: "spool",
          count: 3,
          fromMs: T0_MS + 31_000,
          toMs: T0_MS + 129_000,
          seqs: [4, 6],
        },
        { kind: "account", atMs: T0_MS + 129_100, ageMs: 129_060, ...half },
      ],
    },
    {
      name: "opt-out",
      atMs: T0_MS + 130_000,
      flags: FLAG.optOut,
      entries: [{ kind: "opt_out", atMs: T0_MS + 130_000, origin: "flag" }],
    },
    {
      name: "resume",
      atMs: T0_MS + 200_000,
      entries: [{ kind: "resume", atMs: T0_MS + 200_000 }],
    },
    {
      name: "stop",
      atMs: T0_MS + 201_000,
      flags: FLAG.stop,
      entries: [{ kind: "stop", atMs: T0_MS + 201_000, reason: "SIGTERM" }],
    },
    {
      name: "new epoch after the state directory was restored from an older copy",
      atMs: T0_MS + 300_000,
      flags: FLAG.epochStart,
      newEpoch: true,
      entries: [
        {
          kind: "rollback",
          atMs: T0_MS + 300_000,
          cause: "state",
          oldEpoch: 0,
          oldBatch: 2,
          oldHead: lostHead,
          machineId: "m-1",
          bootId: "b-2",
        },
        {
          kind: "gap",
          atMs: T0_MS + 300_000,
          cause: "lost",
          count: null,
          fromMs: T0_MS + 201_000,
          toMs: T0_MS + 300_000,
        },
      ],
    },
  ];
}

export function batchVectors(): object {
  const node = signer(NODE_SEED);
  let place = { epoch: 0, batchNo: 0, seqFirst: 0, prevHash: genesisHash(node.publicKey) };
  const hashes: string[] = [];
  const batches: object[] = [];
  // The last step names the hash of batch 2, so steps are asked for again when it is known.
  for (let index = 0; index < steps("").length; index++) {
    const step = steps(hashes[2] ?? "")[index];
    if (step === undefined) break;
    if (step.newEpoch === true) place = { ...place, epoch: place.epoch + 1, batchNo: 0 };
    place = { ...place, seqFirst: place.seqFirst + (step.hole ?? 0) };
    const { header, vector } = seal(step, place);
    const prevHash = chainHash(encodeHeader(header));
    hashes.push(prevHash.toString("hex"));
    batches.push(vector);
    const { entryCount, seqFirst } = header;
    place = { ...place, batchNo: place.batchNo + 1, seqFirst: seqFirst + entryCount, prevHash };
  }
  return { seed: NODE_SEED.toString("hex"), publicKey: node.publicKey.toString("hex"), batches };
}

function seal(
  step: Step,
  place: Pick<BatchHeader, "epoch" | "batchNo" | "seqFirst" | "prevHash">,
): { header: BatchHeader; vector: object } {
  const { key, nodeId, keyId } = signer(NODE_SEED);
  const raw = encodeEntries(step.entries, place.seqFirst);
  const payload = raw === "" ? Buffer.alloc(0) : storedFrame(Buffer.from(raw));
  const times = step.entries.length === 0 ? [step.atMs] : step.entries.map(({ atMs }) => atMs);
  const header: BatchHeader = {
    ...place,
    flags: step.flags ?? 0,
    nodeId,
    keyId,
    entryCount: step.entries.length,
    firstAtMs: Math.min(...times),
    lastAtMs: Math.max(...times),
    closedAtMs: step.atMs,
    completeToMs: step.atMs - 100,
    bootAtMs: T0_MS - 3_600_000,
    payloadBytes: payload.length,
    rawBytes: Buffer.byteLength(raw),
    payloadHash: createHash("sha256").update(payload).digest(),
    entriesRoot: Buffer.alloc(32),
    seenSize: 0,
    seenRoot: Buffer.alloc(32),
  };
  const headerBytes = encodeHeader(header);
  const signature = signHeader(headerBytes, key);
  return {
    header,
    vector: {
      name: step.name,
      header: printable(header),
      headerBytes: headerBytes.toString("hex"),
      signature: signature.toString("hex"),
      chainHash: chainHash(headerBytes).toString("hex"),
      raw,
      entries: step.entries,
      frame: encodeFrame(headerBytes, signature, payload).toString("hex"),
    },
  };
}
