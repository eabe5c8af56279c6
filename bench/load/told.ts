/** What the server tells of a generator's connections. */
import type { MeshLab } from "../../test/lab/mesh-lab.ts";
import { FIRST_PORT, PORTS } from "./cheap-load.ts";

export interface Told {
  /** `verdict`, `verdict excuse`, and how many. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Connections that both ends told. */
  readonly fromBothEnds: number;
  readonly connections: number;
  /** Without a verdict. */
  readonly undecided: number;
  /** Those whose final counters one end has not told; where that was lost, it takes minutes to give up. */
  readonly countersPending: number;
}

interface Group {
  readonly verdict: string;
  readonly excuse: string;
  readonly both: number;
  readonly open: number;
  readonly n: number | string;
}

export async function toldBy(lab: MeshLab): Promise<Told> {
  const groups = await lab.sql<Group>(
    `SELECT verdict, excuse, two_halves AS both, counters = 'pending' AS open, count() AS n
     FROM connections WHERE responder_port BETWEEN ${FIRST_PORT} AND ${FIRST_PORT + PORTS - 1}
     GROUP BY verdict, excuse, both, open`,
  );
  const sum = (which: (group: Group) => boolean): number =>
    groups.filter(which).reduce((all, { n }) => all + Number(n), 0);
  const verdicts: Record<string, number> = {};
  for (const { verdict, excuse, n } of groups) {
    const said = `${verdict} ${excuse}`.trim();
    verdicts[said] = (verdicts[said] ?? 0) + Number(n);
  }
  return {
    verdicts,
    fromBothEnds: sum(({ both }) => both === 1),
    connections: sum(() => true),
    undecided: sum(({ verdict }) => verdict === "pending"),
    countersPending: sum(({ open }) => open === 1),
  };
}

export interface Loss {
  readonly gaps: number;
  /** By node: events in gaps with the kernel's number. */
  readonly overflowByNode: Readonly<Record<string, number>>;
  /** Gaps of another cause. */
  readonly otherGaps: readonly string[];
  /** Reasons of `degraded` entries. */
  readonly degraded: readonly string[];
}

interface LogRow {
  readonly node: string;
  readonly kind: string;
  readonly attributes: string;
}

/** What the agents admitted to. */
export async function lossOf(lab: MeshLab): Promise<Loss> {
  const rows = await lab.sql<LogRow>(
    "SELECT node, kind, attributes FROM logs WHERE kind IN ('gap', 'degraded') ORDER BY time",
  );
  const overflowByNode: Record<string, number> = {};
  const otherGaps: string[] = [];
  const degraded: string[] = [];
  for (const { node, kind, attributes } of rows) {
    const entry = JSON.parse(attributes) as Record<string, unknown>;
    if (kind === "degraded")
      degraded.push(`${node}: ${String(entry["events"])}, ${String(entry["reason"])}`);
    else if (entry["cause"] === "overflow") {
      overflowByNode[node] = (overflowByNode[node] ?? 0) + Number(entry["count"]);
    } else otherGaps.push(`${node}: ${attributes}`);
  }
  return { gaps: rows.length - degraded.length, overflowByNode, otherGaps, degraded };
}

/** Titles of all findings, resolved ones too. */
export async function findingsOf(lab: MeshLab): Promise<string[]> {
  const rows = await lab.sql<{ kind: string; state: string; title: string }>(
    "SELECT kind, state, title FROM findings LIMIT 20",
  );
  return rows.map(({ kind, state, title }) => `${kind} (${state}): ${title}`);
}
