/** `tallystick status`: coverage first, because it says how much the rest is worth. */
import type { Node } from "../../api/nodes.ts";
import type { CoverageSpan, Share, Status } from "../../api/status.ts";
import { type Cell, wrappable } from "../../std/table.ts";
import { humanBytes, humanShare, humanSpan } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";
import { printNodes } from "./nodes.ts";

/** Younger is now. */
const OLD_MS = 10_000;
const PEERS_SHOWN = 3;

export const statusCommand = remoteCommand({
  name: "status",
  summary: "coverage, findings, lag, disk, and every node",
  options: {},
  async run(call, api) {
    const status = await api.call("GET /status");
    if (call.json) return call.printJson(status);
    call.printTable(["what", wrappable("value")], rows(status, call.terminal.nowMs));
    call.say("");
    printNodes(call, status.nodes, coverageOf(status.coverage.hour));
  },
});

function rows(status: Status, nowMs: number): (readonly [string, Cell])[] {
  const { coverage, store, disk, findings } = status;
  return [
    ["both ends, last hour", spanText(coverage.hour, nowMs)],
    ["both ends, last day", spanText(coverage.day, nowMs)],
    ...networkRows(coverage.hour),
    ["enrol next", peersText(coverage.day ?? coverage.hour)],
    ["open findings", findings === null ? "unknown" : findingsText(findings)],
    ...accusedRows(status.nodes),
    ["journal", `${status.journal.records} records`],
    ["store", store.state === "ok" ? lagText(store.lag_records) : `${store.state}; ingest goes on`],
    ["disk", diskCell(disk)],
    ["server key", status.server_key],
    ["server", `${status.version}, up ${humanSpan(nowMs - Date.parse(status.started_at))}`],
  ];
}

/** `5: 1 critical, 4 high; 2 excused, 0 acknowledged` */
function findingsText(findings: NonNullable<Status["findings"]>): string {
  const { open, open_by_severity: bySeverity, excused, acknowledged } = findings;
  const counts = Object.entries(bySeverity).filter(([, count]) => count > 0);
  const severities = counts.map(([severity, count]) => `${count} ${severity}`).join(", ");
  const ruled =
    excused + acknowledged === 0 ? "" : `; ${excused} excused, ${acknowledged} acknowledged`;
  return `${open}${severities === "" ? "" : `: ${severities}`}${ruled}`;
}

/** Left out where nobody is, which is what is hoped for. */
function accusedRows(nodes: readonly Node[]): (readonly [string, Cell])[] {
  const names = nodes.filter(({ accused }) => accused !== null).map(({ name }) => name);
  return names.length === 0 ? [] : [["accused", { text: names.join(", "), colour: "red" }]];
}

/** On a full disk also what to do. */
function diskCell({ free_bytes: free, total_bytes: total, full }: Status["disk"]): Cell {
  const text = `${humanBytes(free)} free of ${humanBytes(total)}`;
  if (!full) return text;
  const todo = "make room, or give up old days: tallystick admin prune --before 30d";
  return { text: `full, ${text}: nodes wait, nothing is lost; ${todo}`, colour: "red" };
}

function lagText(lagRecords: number): string {
  return lagRecords === 0 ? "up to date" : `${lagRecords} records behind`;
}

/** What takes long to count is shown with its age. */
function spanText(span: CoverageSpan | null, nowMs: number): string {
  if (span === null) return "not counted yet";
  const ageMs = nowMs - Date.parse(span.counted_at);
  const age = ageMs < OLD_MS ? "" : `; as of ${humanSpan(ageMs)} ago`;
  return `${shareText(span)}${age}`;
}

/** `98.2 % of 1200 connections (99.1 % of those between nodes); one end only: 12 external, 9 offline` */
function shareText({
  connections,
  share,
  between_nodes: between,
  one_end_by_reason,
}: Share): string {
  if (connections === 0) return "no connections";
  const isAll = between.connections === connections;
  const which = between.connections === 0 ? "none is" : `${humanShare(between.share)} of those`;
  const within = isAll ? "" : ` (${which} between nodes)`;
  const reasons = Object.entries(one_end_by_reason).map(([why, count]) => `${count} ${why}`);
  const rest = reasons.length === 0 ? "" : `; one end only: ${reasons.join(", ")}`;
  return `${humanShare(share)} of ${connections} connections${within}${rest}`;
}

/** One line for each where there are several. */
function networkRows(span: CoverageSpan | null): (readonly [string, string])[] {
  const networks = span?.networks ?? [];
  if (networks.length < 2) return [];
  return networks.map((network) => [`  in network ${network.name}`, shareText(network)]);
}

/** Peers without an agent that most connections are with. */
function peersText(span: CoverageSpan | null): string {
  const peers = (span?.unmonitored_peers ?? []).slice(0, PEERS_SHOWN);
  if (peers.length === 0) return span === null ? "not counted yet" : "no peer without an agent";
  return peers.map(({ address, connections }) => `${address} (${connections})`).join(", ");
}

/** By node name: the last hour in a word. */
function coverageOf(span: CoverageSpan | null): ReadonlyMap<string, string> {
  const texts = (span?.nodes ?? []).map((node): [string, string] => [
    node.name,
    node.connections === 0 ? "no connections" : `${humanShare(node.share)} of ${node.connections}`,
  ]);
  return new Map(texts);
}
