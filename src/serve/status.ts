/** The state of everything in one answer. It comes also when the store is dead: that is when it is needed. */
import { statfs } from "node:fs/promises";
import { StoreError } from "../store/store-error.ts";
import type { ApiParts } from "./api.ts";
import type { CoverageReader } from "./coverage/read-coverage.ts";
import { describeNode, readNodeRows } from "./node-status.ts";
import { statementOf } from "./query/store-reader.ts";
import type { Status } from "../api/status.ts";

const SEVERITIES = ["critical", "high", "medium", "low"] as const;

const FINDINGS = statementOf(
  `SELECT state, severity, count() AS count
  FROM findings WHERE state != 'resolved' GROUP BY state, severity`,
);

interface FindingCount {
  readonly state: string;
  readonly severity: string;
  readonly count: number;
}

export async function readStatus(parts: ApiParts, coverage: CoverageReader): Promise<Status> {
  const nowMs = parts.clock.nowMs();
  const [covered, rows, findings, disk] = await Promise.all([
    coverage.read(),
    readNodeRows(parts.store),
    orNull(parts.store.rows<FindingCount>(FINDINGS)),
    statfs(parts.dataDir),
  ]);
  const { journalEnd, committed, isDiskFull, reservedBytes } = parts.vitals();
  return {
    coverage: covered,
    nodes: parts.control.nodes.list().map((node) => describeNode(node, rows, nowMs)),
    journal: { records: journalEnd },
    store: {
      state: rows === undefined ? "unavailable" : "ok",
      records: committed,
      lag_records: Math.max(0, journalEnd - committed),
    },
    disk: {
      free_bytes: disk.bavail * disk.bsize,
      total_bytes: disk.blocks * disk.bsize,
      reserved_bytes: reservedBytes,
      full: isDiskFull,
    },
    findings: findings === null ? null : findingCounts(findings),
    server_key: Buffer.from(parts.evidence.serverKey).toString("base64url"),
    version: parts.version,
    started_at: new Date(parts.startedAtMs).toISOString(),
  };
}

function findingCounts(counts: readonly FindingCount[]): NonNullable<Status["findings"]> {
  const sum = (state: string, severity?: string): number =>
    counts
      .filter((one) => one.state === state && (severity ?? one.severity) === one.severity)
      .reduce((total, { count }) => total + count, 0);
  const [critical = 0, high = 0, medium = 0, low = 0] = SEVERITIES.map((each) => sum("open", each));
  return {
    open: sum("open"),
    open_by_severity: { critical, high, medium, low },
    excused: sum("excused"),
    acknowledged: sum("acknowledged"),
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
