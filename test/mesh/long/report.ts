/** The end of a long run, for people. */
import type { AgentUsage } from "../../../bench/load/process-usage.ts";
import { formatTable } from "../../../src/std/table.ts";
import type { Account } from "./chatter.ts";
import { described } from "./expect.ts";
import { KINDS } from "./kinds.ts";
import type { Told } from "./told.ts";

export type Usages = ReadonlyMap<string, AgentUsage>;

export function report(told: Told, account: Account, usages: Usages): string {
  return [
    verdictTable(told, account),
    failures(account),
    quietTable(told),
    findingTable(told),
    usageTable(usages),
    ...told.odd.map(described),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function verdictTable({ tallies }: Told, { made }: Account): string {
  const rows = Object.entries(KINDS).flatMap(([kind, { proto }]) => {
    const own = tallies.filter((tally) => tally.kind === kind);
    return own.map(({ verdict, excuse, counters, count }, index) => [
      index === 0 ? kind : undefined,
      index === 0 ? proto : undefined,
      index === 0 ? (made[kind] ?? 0) : undefined,
      verdict,
      excuse,
      counters,
      count,
    ]);
  });
  return formatTable(["kind", "proto", "made", "verdict", "excuse", "counters", "told"], rows);
}

function quietTable({ quietExcuses }: Told): string {
  const parts = quietExcuses.map(({ kind, excuse, count }) => `${count} ${kind} (${excuse})`);
  return `Excused between hosts that nothing befell: ${parts.join(", ") || "none"}\n`;
}

/** Not made, or not ended as meant: lost packets do that. */
function failures({ failed }: Account): string {
  const parts = Object.entries(failed).map(([what, count]) => `${count} ${what}`);
  return parts.length === 0 ? "" : `Failed: ${parts.join(", ")}\n`;
}

function findingTable({ findings }: Told): string {
  if (findings.length === 0) return "No findings\n";
  const alike = Map.groupBy(findings, ({ kind, state, node, about }) =>
    [kind, state, node, about].join(" "),
  );
  const rows = [...alike.values()].map((all) => {
    const { kind = "", severity, state, node, about, title } = all[0] ?? {};
    return [kind, severity, state, node, about, all.length, title];
  });
  const headings = ["finding", "severity", "state", "node", "about", "times", "title of the first"];
  return formatTable(headings, rows);
}

function usageTable(usages: Usages): string {
  const rows = [...usages].map(([name, { agent, children }]) => [
    name,
    agent.cpuPercent,
    agent.rssMaxMb,
    children.cpuPercent,
    children.rssMaxMb,
  ]);
  const headings = ["process", "cpu %", "rss max MB", "children's cpu %", "children's rss max MB"];
  return formatTable(headings, rows);
}
