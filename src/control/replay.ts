/**
 * Applying one journaled change to the tables: the same function on the good path and at the next
 * start. Idempotent, because a start may see entries again that were applied before.
 */
import type { EnrolledEntry, RevokedEntry } from "../format/entry.ts";
import type { KeyTable } from "./key-table.ts";
import type { NodeTable } from "./node-table.ts";

export function applyEntry(
  nodes: NodeTable,
  keys: KeyTable,
  entry: EnrolledEntry | RevokedEntry,
): void {
  switch (entry.kind) {
    case "enrolled":
      return applyEnrolled(nodes, keys, entry);
    case "revoked":
      return applyRevoked(nodes, entry);
  }
}

/** Tags are the key's and not in the entry: after a lost file they are gone, the node is not. */
function applyEnrolled(nodes: NodeTable, keys: KeyTable, entry: EnrolledEntry): void {
  if (nodes.get(entry.node) !== undefined) return;
  const tags = keys.get(entry.enrolmentKey)?.tags ?? [];
  keys.spend(entry.enrolmentKey);
  nodes.insert({
    id: entry.node,
    name: entry.name,
    publicKeyBytes: Buffer.from(entry.publicKey, "base64url"),
    enrolledAtMs: entry.atMs,
    enrolmentKey: entry.enrolmentKey,
    tags,
  });
}

function applyRevoked(nodes: NodeTable, entry: RevokedEntry): void {
  if (nodes.get(entry.node)?.state !== "active") return;
  nodes.revoke(entry.node, { atMs: entry.atMs, epoch: entry.epoch, batchNo: entry.lastBatch });
}
