/**
 * One finding as `findings --id` shows it: the sections of its evidence file, and what is known by
 * now: who decided what about it, and whether and why it is resolved.
 */
import type { Finding, FindingInFull } from "../api/findings.ts";
import { isMembers } from "../evidence/claims.ts";
import {
  findingSections,
  pairLines,
  type Section,
  sectionText,
  tableLines,
  type Watermark,
} from "../evidence/finding-text.ts";
import { printable } from "../std/printable.ts";
import { humanTime } from "./human.ts";

/** By kind, of those that can be resolved (docs/findings.md). */
const RESOLVED_BECAUSE: Readonly<Record<string, string>> = {
  "missing-half": "The missing half came after all.",
  accused:
    "What contradicts the node by now does not accuse it: contradictions were excused or resolved, or something else explains them.",
  silent: "The node's chain went on, or the node was revoked.",
  "undeclared-hole": "A gap of the node named the missing entries after all.",
  "opted-out": "The node resumed logging.",
  "contested-address": "Not more than one node claims the address any more.",
  "gap-abuse": "What the node says of its losses is no more than an honest node has.",
};

export function findingPage(finding: FindingInFull, watermarks: readonly Watermark[]): string {
  const isResolved = finding.state === "resolved";
  const { todo, witnesses, ...rest } = finding.evidence;
  const listed = witnessLines(finding, witnesses);
  const evidence = {
    ...rest,
    ...(isResolved || todo === undefined ? {} : { todo }),
    ...(listed === undefined && witnesses !== undefined ? { witnesses } : {}),
  };
  const view = {
    ...finding,
    evidence,
    ruledUntilMs: finding.ruled_until === null ? 0 : Date.parse(finding.ruled_until),
    connection: finding.connection_id,
    concludedMs: Date.parse(finding.time),
  };
  const [, ...sections] = findingSections(view, watermarks);
  const because = isResolved ? RESOLVED_BECAUSE[finding.kind] : undefined;
  const all: Section[] = [
    { heading: "Finding", lines: headLines(finding) },
    { heading: "Why it is resolved", lines: because === undefined ? [] : [because] },
    { heading: "What people decided about it", lines: rulingLines(finding) },
    { heading: "Witnesses", lines: listed ?? [] },
    ...sections,
  ];
  return sectionText(all.filter(({ lines }) => lines.length > 0));
}

function headLines(finding: FindingInFull): string[] {
  const { state, ruled_by: by, ruled_until: until, reason } = finding;
  const isRuled = state === "excused" || state === "acknowledged";
  const end = until === null ? "" : ` until ${humanTime(until)}`;
  return [
    printable(finding.title),
    "",
    ...pairLines([
      ["kind", finding.kind],
      ["severity", finding.severity],
      ["state", isRuled ? `${state} by ${by}${end}: ${reason}` : state],
      ["concerns", finding.node === "" ? "nobody in particular" : finding.node],
      // The last that was heard of it: what is resolved was concluded before.
      [state === "resolved" ? "resolved" : "concluded", humanTime(finding.time)],
      ["id", finding.id],
    ]),
  ];
}

function rulingLines({ rulings }: FindingInFull): string[] {
  if (rulings.length === 0) return [];
  return tableLines(
    ["when", "who", "decided", "until", "why"],
    rulings.map(({ time, by, ruling, reason, until }) => [
      humanTime(time),
      by,
      ruling,
      humanTime(until),
      reason,
    ]),
  );
}

/** Undefined for what has another shape: it is shown as it stands. */
function witnessLines(finding: Finding, witnesses: unknown): string[] | undefined {
  if (!Array.isArray(witnesses) || !witnesses.every(isMembers)) return undefined;
  const rows = witnesses.map((one) => {
    const { name, count, kinds, accusedLacks, firstAtMs, lastAtMs, mismatches } = one;
    const byKind = isMembers(kinds) ? Object.entries(kinds) : [];
    const [example] = Array.isArray(mismatches) ? mismatches : [];
    return [
      String(name),
      byKind.map(([kind, times]) => `${String(times)} ${kind}`).join(", "),
      `${String(accusedLacks)} of ${String(count)}`,
      timeOf(firstAtMs),
      timeOf(lastAtMs),
      example === undefined ? "" : String(example),
    ];
  });
  const { count } = finding.evidence;
  const more = typeof count === "number" ? count - witnesses.length : 0;
  const headings = ["witness", "contradicts in", "lacked by it", "first", "last", "one of them"];
  return [
    ...tableLines(headings, rows),
    ...(more > 0 ? [`and ${more} more, who are not listed one by one`] : []),
  ];
}

function timeOf(atMs: unknown): string {
  const isTime = Number.isSafeInteger(atMs) && Math.abs(Number(atMs)) <= 8.64e15;
  return isTime ? humanTime(new Date(Number(atMs)).toISOString()) : String(atMs);
}
