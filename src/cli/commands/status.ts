/** `tallystick status`: coverage first, because it says how much the rest is worth. */
import { humanBytes, humanShare, humanSpan } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";
import { type NodeItem, printNodes } from "./nodes.ts";

interface CoverageSpan {
  readonly connections: number;
  readonly both_ends: number;
  readonly share: number | null;
  readonly one_end_by_reason: Readonly<Record<string, number>>;
}

interface Status {
  readonly coverage: { readonly hour: CoverageSpan; readonly day: CoverageSpan } | null;
  readonly nodes: readonly NodeItem[];
  readonly journal: { readonly records: number };
  readonly store: { readonly state: string; readonly lag_records: number };
  readonly disk: { readonly free_bytes: number; readonly total_bytes: number };
  readonly findings: { readonly open: number } | null;
  readonly server_key: string;
  readonly version: string;
  readonly started_at: string;
}

export const statusCommand = remoteCommand({
  name: "status",
  summary: "coverage, findings, lag, disk, and every node",
  options: {},
  async run(call, api) {
    const status = await api.get<Status>("/status");
    if (call.json) return call.printJson(status);
    call.printTable(["what", "value"], rows(status, call.terminal.nowMs));
    call.say("");
    printNodes(call, status.nodes);
  },
});

function rows(status: Status, nowMs: number): (readonly [string, string])[] {
  const { coverage, store, disk, findings } = status;
  return [
    ["both ends, last hour", coverageText(coverage?.hour)],
    ["both ends, last day", coverageText(coverage?.day)],
    ["open findings", findings === null ? "unknown" : String(findings.open)],
    ["journal", `${status.journal.records} records`],
    ["store", store.state === "ok" ? lagText(store.lag_records) : `${store.state}; ingest goes on`],
    ["disk", `${humanBytes(disk.free_bytes)} free of ${humanBytes(disk.total_bytes)}`],
    ["server key", status.server_key],
    ["server", `${status.version}, up ${humanSpan(nowMs - Date.parse(status.started_at))}`],
  ];
}

function lagText(lagRecords: number): string {
  return lagRecords === 0 ? "up to date" : `${lagRecords} records behind`;
}

/** `98.2 % of 1200 connections between nodes; one end only: 12 pending, 9 node_offline` */
function coverageText(span: CoverageSpan | undefined): string {
  if (span === undefined) return "unknown";
  if (span.connections === 0) return "no connections between nodes";
  const reasons = Object.entries(span.one_end_by_reason).map(([why, count]) => `${count} ${why}`);
  const rest = reasons.length === 0 ? "" : `; one end only: ${reasons.join(", ")}`;
  return `${humanShare(span.share)} of ${span.connections} connections between nodes${rest}`;
}
