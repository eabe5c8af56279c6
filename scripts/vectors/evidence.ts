/** An evidence file as a server writes it, and what becomes of it when somebody changes it. */
import { createHash } from "node:crypto";
import {
  chainHash,
  encodeFrame,
  encodeHeader,
  FLAG,
  genesisHash,
  signHeader,
} from "../../src/format/batch.ts";
import type { Counters, Entry, FindingEntry, Role } from "../../src/format/entry.ts";
import { halfId } from "../../src/format/half.ts";
import { encodeEntries } from "../../src/format/payload.ts";
import { signReceipt } from "../../src/format/receipt.ts";
import { evidenceData } from "../../src/evidence/data-part.ts";
import { evidenceText } from "../../src/evidence/file.ts";
import { openPiece, type Piece } from "../../src/evidence/piece.ts";
import { isSound, verifyEvidence } from "../../src/evidence/verify.ts";
import { NODE_SEED, SERVER_SEED, type Signer, signer } from "./identities.ts";
import { storedFrame } from "./stored-frame.ts";

const T0_MS = 1_800_000_000_000;
const FINDING_ID = "47183b3c5026b986ba33d0ea863d604b";
const TUPLE = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};

export function evidenceVectors(): object {
  const text = honestFile();
  const changes: [name: string, text: string][] = [
    ["honest", text],
    ["a count in the readable part", text.replace("1000000 B", "1000001 B")],
    ["a node's signature", text.replace(/\n(batch 0553.*\n)A/, "\n$1B")],
    ["padding in another spelling", text.replace(/(\n[\w+/]+)=+\n/, "$1\n")],
    ["a receipt left out", text.replace(/\nreceipt\n[^\n]+\n[^\n]+\n[^\n]+\n/, "\n")],
  ];
  return {
    serverKey: signer(SERVER_SEED).publicKey.toString("base64url"),
    files: changes.map(([name, each]) => {
      const checks = verifyEvidence(each);
      return { name, sound: isSound(checks), text: each, checks };
    }),
  };
}

/** Two ends that counted differently. */
function honestFile(): string {
  const server = signer(SERVER_SEED);
  const [a, b] = [signer(NODE_SEED), signer(Buffer.alloc(32))];
  const pieces = [
    batchOf(a, half("initiator", 1_000_000)),
    batchOf(b, half("responder", 1_000)),
  ].map((frame, index) => withReceipt(frame, index, server));
  const own = batchOf(server, [enrolled(a, "web-1"), enrolled(b, "db-1"), finding(a, b)]);
  const all = [openPiece("batch", own), ...pieces];
  const head = { findingId: FINDING_ID, supportingIds: [], serverKey: server.publicKey };
  return evidenceText(evidenceData({ ...head, pieces: all }));
}

function half(role: Role, initiatorBytes: number): Entry[] {
  const how = {
    state: "SF",
    assured: true,
    inferred: false,
    counters: counters(initiatorBytes),
  } as const;
  return [
    { kind: "open", atMs: T0_MS, role, tuple: TUPLE, pickup: false },
    { kind: "close", atMs: T0_MS + 20, openSeq: 0, ageMs: 20, ...how },
  ];
}

function counters(initiatorBytes: number): Counters {
  return { initiatorPackets: 9, initiatorBytes, responderPackets: 9, responderBytes: 7_000 };
}

function enrolled({ nodeId, publicKey }: Signer, name: string): Entry {
  const key = publicKey.toString("base64url");
  const node = nodeId.toString("hex");
  return {
    kind: "enrolled",
    atMs: T0_MS - 1,
    node,
    name,
    publicKey: key,
    enrolmentKey: "AAECAwQF",
  };
}

function finding(a: Signer, b: Signer): FindingEntry {
  const halves = [
    claim(a, { name: "web-1", role: "initiator", sent: 1_000_000, index: 0 }),
    claim(b, { name: "db-1", role: "responder", sent: 1_000, index: 1 }),
  ];
  const difference = {
    sentBy: "initiator",
    sentBytes: 1_000_000,
    receivedBytes: 1_000,
    allowedBytes: 211_960,
    impossible: false,
  };
  const causes = ["web-1's counters were altered", "db-1's counters were altered"];
  return {
    kind: "finding",
    atMs: T0_MS + 1_000,
    id: FINDING_ID,
    finding: "counters-differ",
    severity: "high",
    state: "open",
    node: "",
    connection: String(halves[0]?.["half"]),
    title: "web-1 and db-1 count different bytes",
    evidence: { difference, halves, causes, todo: "compare with the interface counters of both" },
  };
}

function claim(
  { nodeId }: Signer,
  { name, role, sent, index }: { name: string; role: Role; sent: number; index: number },
): Record<string, unknown> {
  return {
    half: halfId(nodeId, 0, 0).toString("hex"),
    node: nodeId.toString("hex"),
    name,
    role,
    epoch: 0,
    seq: 0,
    journalIndex: index,
    openedMs: T0_MS,
    durationMs: 20,
    state: "SF",
    tuple: TUPLE,
    counters: counters(sent),
  };
}

/** The signer's first batch. */
function batchOf({ key, publicKey, nodeId, keyId }: Signer, entries: readonly Entry[]): Buffer {
  const raw = Buffer.from(encodeEntries(entries, 0));
  const payload = storedFrame(raw);
  const times = entries.map(({ atMs }) => atMs);
  const lastAtMs = Math.max(...times);
  const headerBytes = encodeHeader({
    flags: FLAG.epochStart,
    nodeId,
    keyId,
    epoch: 0,
    entryCount: entries.length,
    batchNo: 0,
    seqFirst: 0,
    firstAtMs: Math.min(...times),
    lastAtMs,
    closedAtMs: lastAtMs + 500,
    completeToMs: lastAtMs + 400,
    bootAtMs: T0_MS - 3_600_000,
    payloadBytes: payload.length,
    rawBytes: raw.length,
    payloadHash: createHash("sha256").update(payload).digest(),
    entriesRoot: Buffer.alloc(32),
    prevHash: genesisHash(publicKey),
    seenSize: 0,
    seenRoot: Buffer.alloc(32),
  });
  return encodeFrame(headerBytes, signHeader(headerBytes, key), payload);
}

function withReceipt(frame: Buffer, index: number, server: Signer): Piece {
  const { header, headerBytes } = openPiece("batch", frame);
  const { nodeId, epoch, batchNo, closedAtMs } = header;
  const place = {
    nodeId,
    epoch,
    batchNo,
    head: chainHash(headerBytes),
    index,
    receivedMs: closedAtMs + 50,
  };
  return openPiece("batch", frame, signReceipt(place, server.key));
}
