/** The state of everything in one answer. It comes also when the store is dead: that is when it is needed. */
import { statfs } from "node:fs/promises";
import type { Static } from "typebox";
import { StoreError } from "../store/store-error.ts";
import type { ApiParts } from "./api.ts";
import type { CoverageReader } from "./coverage/read-coverage.ts";
import { describeNode, readNodeRows } from "./node-status.ts";
import { statementOf } from "./query/store-reader.ts";
import type { Status } from "./schemas.ts";

const FINDINGS =
  statementOf(`SELECT countIf(state = 'open') AS open, countIf(state = 'excused') AS excused,
  countIf(state = 'acknowledged') AS acknowledged FROM findings`);

interface FindingCounts {
  readonly open: number;
  readonly excused: number;
  readonly acknowledged: number;
}

export async function readStatus(
  parts: ApiParts,
  coverage: CoverageReader,
): Promise<Static<typeof Status>> {
  const nowMs = parts.clock.nowMs();
  const [covered, rows, findings, disk] = await Promise.all([
    coverage.read(),
    readNodeRows(parts.store),
    orNull(parts.store.rows<FindingCounts>(FINDINGS)),
    statfs(parts.dataDir),
  ]);
  const { journalEnd, committed } = parts.vitals();
  return {
    coverage: covered,
    nodes: parts.control.nodes().map((node) => describeNode(node, rows, nowMs)),
    journal: { records: journalEnd },
    store: {
      state: rows === undefined ? "unavailable" : "ok",
      records: committed,
      lag_records: Math.max(0, journalEnd - committed),
    },
    disk: { free_bytes: disk.bavail * disk.bsize, total_bytes: disk.blocks * disk.bsize },
    findings: findings?.[0] ?? null,
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
