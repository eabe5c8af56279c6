/** Reads a stopped journal as an auditor: every chain must link, every signature and payload hold. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { chainHash, decodeFrame, genesisHash, verifyHeader } from "../../src/format/batch.ts";
import { nodeIdOf, publicKeyFromRaw } from "../../src/format/identity.ts";
import { decompressPayload, forEachEntry } from "../../src/format/payload.ts";
import type { FindingEntry } from "../../src/format/entry.ts";
import { loadServerKey } from "../../src/ingest/server-key.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { Journal } from "../../src/journal/journal.ts";
import type { JournalRecord } from "../../src/journal/record.ts";
import { nodeDisk } from "../../src/std/node-disk.ts";

/** Whose batches may be there. */
export type AuditedNode = Pick<SimNode, "id" | "publicKey">;

export interface Audit {
  /** Per hex node id, the chain hashes of its batches in order, in hex. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly findings: readonly FindingEntry[];
  readonly evidence: readonly JournalRecord[];
  readonly records: number;
}

export async function auditJournal(
  directory: string,
  nodes: readonly AuditedNode[],
): Promise<Audit> {
  const server = await loadServerKey(nodeDisk(), directory, false);
  const keys = new Map(nodes.map((node) => [node.id, node.publicKey]));
  keys.set(nodeIdOf(server.publicKeyBytes).toString("hex"), server.publicKeyBytes);
  await using journal = await Journal.open({ dir: join(directory, "journal") });
  const chains = new Map<string, string[]>();
  const findings: FindingEntry[] = [];
  const evidence: JournalRecord[] = [];
  let records = 0;
  for await (const record of journal.read(0)) {
    assert.equal(record.index, records++);
    if (record.type === "evidence") {
      evidence.push({ ...record, frame: Buffer.from(record.frame) });
      continue;
    }
    auditBatch(record, keys, chains, findings);
  }
  return { chains, findings, evidence, records };
}

function auditBatch(
  record: JournalRecord,
  keys: ReadonlyMap<string, Buffer>,
  chains: Map<string, string[]>,
  findings: FindingEntry[],
): void {
  const { header, headerBytes, signature, payload } = decodeFrame(record.frame);
  const nodeId = Buffer.from(header.nodeId).toString("hex");
  const key = keys.get(nodeId);
  assert.ok(key !== undefined, `record ${record.index} is of an unknown node`);
  assert.ok(verifyHeader(headerBytes, signature, publicKeyFromRaw(key)));
  const chain = chains.get(nodeId) ?? [];
  chains.set(nodeId, chain);
  const previous = chain.at(-1) ?? genesisHash(key).toString("hex");
  assert.equal(Buffer.from(header.prevHash).toString("hex"), previous);
  chain.push(chainHash(headerBytes).toString("hex"));
  const digest = createHash("sha256").update(payload).digest();
  assert.deepEqual(digest, Buffer.from(header.payloadHash));
  forEachEntry(decompressPayload(payload, header.rawBytes), header, (entry) => {
    if (entry.kind === "finding") findings.push(entry);
  });
}
