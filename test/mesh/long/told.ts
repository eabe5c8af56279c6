/** What the server tells of the long run, and what is wrong with it. */
import type { MeshLab } from "../../lab/mesh-lab.ts";
import type { Seen } from "../../lab/follower.ts";
import { BEFALLEN } from "./incidents.ts";
import { KINDS, kindOf, type Kind } from "./kinds.ts";

/** So many connections of a kind got this verdict. */
export interface Tally {
  readonly kind: Kind;
  readonly verdict: string;
  readonly excuse: string;
  readonly counters: string;
  readonly count: number;
}

export interface Found {
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly node: string;
  readonly connection_id: string;
  readonly title: string;
  readonly evidence: string;
  /** Of the connection that it is about, if any. */
  readonly about: Kind | "";
}

export interface Told {
  readonly tallies: readonly Tally[];
  readonly findings: readonly Found[];
  /** Excuses between hosts that nothing befell: what the network and the load cost. */
  readonly quietExcuses: readonly {
    readonly kind: Kind;
    readonly excuse: string;
    readonly count: number;
  }[];
  /** Rows that should not be so, with their halves: some of them. */
  readonly odd: readonly OddRow[];
}

export interface OddRow {
  readonly row: Seen;
  readonly halves: readonly object[];
}

const PORTS = Object.values(KINDS).map(({ port }) => port);
const OURS = `responder_port BETWEEN ${Math.min(...PORTS)} AND ${Math.max(...PORTS)}`;
const ODD_OF_A_KIND = 2;

export interface Waiting {
  /** Without a verdict. */
  readonly verdicts: number;
  /** Without their last counters, which come minutes after the end. */
  readonly counters: number;
}

export async function waiting(lab: MeshLab): Promise<Waiting> {
  const query = `SELECT countIf(verdict = 'pending') AS verdicts, countIf(counters = 'pending') AS counters
    FROM connections WHERE ${OURS}`;
  const [row] = await lab.sql<Record<keyof Waiting, number | string>>(query);
  return { verdicts: Number(row?.verdicts ?? 0), counters: Number(row?.counters ?? 0) };
}

export async function told(lab: MeshLab): Promise<Told> {
  const rows = await lab.sql<
    Omit<Tally, "kind" | "count"> & {
      count: number | string;
      proto: string;
      responder_port: number;
    }
  >(
    `SELECT proto, responder_port, verdict, excuse, counters, count() AS count FROM connections
     WHERE ${OURS} GROUP BY ALL ORDER BY ALL`,
  );
  const tallies = rows.flatMap((row) => {
    const kind = kindOf(row.proto, row.responder_port);
    return kind === undefined ? [] : [{ ...row, kind, count: Number(row.count) }];
  });
  const quietExcuses = await excusesWithoutIncident(lab);
  return { tallies, findings: await findings(lab), quietExcuses, odd: await oddRows(lab) };
}

async function excusesWithoutIncident(lab: MeshLab): Promise<Told["quietExcuses"]> {
  const befallen = BEFALLEN.map((name) => `'${name}'`).join(", ");
  const rows = await lab.sql<{
    proto: string;
    responder_port: number;
    excuse: string;
    count: number | string;
  }>(
    `SELECT proto, responder_port, excuse, count() AS count FROM connections
     WHERE ${OURS} AND verdict = 'excused'
       AND initiator_node NOT IN (${befallen}) AND responder_node NOT IN (${befallen})
     GROUP BY ALL ORDER BY ALL`,
  );
  return rows.flatMap(({ proto, responder_port, excuse, count }) => {
    const kind = kindOf(proto, responder_port);
    return kind === undefined ? [] : [{ kind, excuse, count: Number(count) }];
  });
}

async function findings(lab: MeshLab): Promise<Found[]> {
  const found = await lab.sql<Omit<Found, "about"> & { proto: string; responder_port: number }>(
    `SELECT f.kind AS kind, f.severity AS severity, f.state AS state, f.node AS node,
       f.connection_id AS connection_id, f.title AS title, f.evidence AS evidence,
       c.proto AS proto, c.responder_port AS responder_port
     FROM findings AS f LEFT JOIN connections AS c ON f.connection_id = c.connection_id
     ORDER BY f.time`,
  );
  return found.map((one) => ({ ...one, about: kindOf(one.proto, one.responder_port) ?? "" }));
}

async function oddRows(lab: MeshLab): Promise<OddRow[]> {
  const rows = await lab.sql<Seen>(
    `SELECT * FROM connections WHERE ${OURS} AND verdict IN ('missing', 'differs', 'pending', 'external')
     ORDER BY verdict, opened_at LIMIT ${ODD_OF_A_KIND} BY verdict, proto, responder_port`,
  );
  const ids = rows.map(({ connection_id }) => `'${connection_id}'`).join(", ");
  if (ids === "") return [];
  const halves = await lab.sql<{ connection_id: string }>(
    `SELECT * FROM halves WHERE connection_id IN (${ids})`,
  );
  return rows.map((row) => ({
    row,
    halves: halves.filter(({ connection_id }) => connection_id === row.connection_id),
  }));
}
