/** The state of everything in one answer. It comes also when the store is dead: that is when it is needed. */
import { statfs } from "node:fs/promises";
import type { Static } from "typebox";
import { StoreError } from "../store/store-error.ts";
import type { ApiParts } from "./api.ts";
import { readCoverage } from "./coverage.ts";
import { describeNode, readNodeRows } from "./node-status.ts";
import { statementOf } from "./query/store-reader.ts";
import type { Status } from "./schemas.ts";

const OPEN_FINDINGS = statementOf("SELECT count() AS open FROM findings WHERE state = 'open'");

export async function readStatus(parts: ApiParts): Promise<Static<typeof Status>> {
  const nowMs = parts.clock.nowMs();
  const [coverage, rows, findings, disk] = await Promise.all([
    orNull(readCoverage(parts.store, nowMs)),
    readNodeRows(parts.store),
    orNull(parts.store.rows<{ open: number }>(OPEN_FINDINGS)),
    statfs(parts.dataDir),
  ]);
  const { journalEnd, committed } = parts.vitals();
  return {
    coverage,
    nodes: parts.control.nodes().map((node) => describeNode(node, rows, nowMs)),
    journal: { records: journalEnd },
    store: {
      state: rows === undefined ? "unavailable" : "ok",
      records: committed,
      lag_records: Math.max(0, journalEnd - committed),
    },
    disk: { free_bytes: disk.bavail * disk.bsize, total_bytes: disk.blocks * disk.bsize },
    findings: findings === null ? null : { open: findings[0]?.open ?? 0 },
    server_key: Buffer.from(parts.evidence.serverKey).toString("base64url"),
    version: parts.version,
    started_at: new Date(parts.startedAtMs).toISOString(),
  };
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
