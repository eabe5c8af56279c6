/** The demo's end as a person wants to read it, or as data. */
import { formatTable } from "../src/std/table.ts";
import type { Made } from "./story.ts";
import type { Comparison, Found, Seen } from "./verify.ts";

export interface Report extends Comparison {
  readonly made: readonly Made[];
  readonly seen: readonly Seen[];
  readonly found: readonly Found[];
}

export interface PrintOptions {
  readonly json: boolean;
  readonly elapsedMs: number;
}

const ROWS_PER_VERDICT = 6;

export function printReport(report: Report, options: PrintOptions): void {
  const ok = report.wrong.length === 0;
  if (options.json) {
    for (const connection of report.seen)
      console.log(JSON.stringify({ type: "connection", ...connection }));
    for (const finding of report.found)
      console.log(JSON.stringify({ type: "finding", ...finding }));
    console.log(
      JSON.stringify({ type: "result", ok, wrong: report.wrong, elapsedMs: options.elapsedMs }),
    );
    return;
  }
  console.log(
    `\n${connections(report.seen)}\n\n${counts(report.seen)}\n\n${findings(report.found)}\n`,
  );
  for (const sentence of report.wrong) console.log(`NOT AS INJECTED: ${sentence}`);
  if (ok)
    console.log(
      "Exactly the injected faults were found: every tampered connection, no other one, and nobody is accused by one witness. The evidence of each kind holds.",
    );
}

/** A few connections of each verdict, the remarkable ones first. */
function connections(seen: readonly Seen[]): string {
  const groups = Map.groupBy(seen, (row) => row.verdict);
  const order = ["missing", "differs", "pending", "excused", "unanswered", "external", "matched"];
  const shown = order.flatMap((verdict) => (groups.get(verdict) ?? []).slice(0, ROWS_PER_VERDICT));
  const rows = shown.map((row) => [
    row.opened_at.slice(11, 19),
    row.proto,
    `${row.initiator_node || row.initiator_ip}:${row.initiator_port}`,
    `${row.responder_node || row.responder_ip}:${row.responder_port}`,
    row.end_state,
    row.initiator_bytes,
    row.responder_bytes,
    row.excuse === "" ? row.verdict : `${row.verdict} (${row.excuse})`,
  ]);
  const headings = [
    "opened",
    "proto",
    "initiator",
    "responder",
    "end",
    "sent",
    "answered",
    "verdict",
  ];
  return formatTable(headings, rows, { columnsMax: process.stdout.columns }).trimEnd();
}

function counts(seen: readonly Seen[]): string {
  const groups = [...Map.groupBy(seen, (row) => row.verdict)];
  const parts = groups.map(([verdict, rows]) => `${rows.length} ${verdict}`);
  return `${seen.length} connections: ${parts.join(", ")}`;
}

function findings(found: readonly Found[]): string {
  if (found.length === 0) return "No findings";
  const lines = found.map(
    (one) => `  ${one.severity.padEnd(8)} ${one.kind.padEnd(16)} ${one.title}`,
  );
  return [`${found.length} findings`, ...lines].join("\n");
}
