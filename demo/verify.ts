/** Whether the server found exactly what was done: each tampered connection, and nothing else. */
import type { Made } from "./story.ts";

/** What the server says of one connection, as `tallystick sql --json` prints it. */
export interface Seen {
  readonly proto: string;
  readonly initiator_ip: string;
  readonly initiator_port: number;
  readonly responder_ip: string;
  readonly responder_port: number;
  readonly verdict: string;
  readonly excuse: string;
  readonly counters: string;
  readonly connection_id: string;
  readonly initiator_node: string;
  readonly responder_node: string;
  readonly initiator_bytes: number;
  readonly responder_bytes: number;
  readonly end_state: string;
  readonly opened_at: string;
}

export interface Found {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly node: string;
  readonly connection_id: string;
  readonly title: string;
}

export interface Comparison {
  /** Sentences about what does not fit; empty: exactly the injected faults were found. */
  readonly wrong: readonly string[];
  /** Something may still arrive: worth asking again. */
  readonly unfinished: boolean;
}

/** The findings that erin's lost spool brings besides the missing halves, and nobody else's. */
const LOST_SPOOL = new Set(["lost-spool erin", "rollback erin"]);
const KIND_OF = { missing: "missing-half", differs: "counters-differ" } as const;

export function compare(
  made: readonly Made[],
  seen: readonly Seen[],
  found: readonly Found[],
): Comparison {
  const wrong: string[] = [];
  const byTuple = new Map(seen.map((one) => [tupleOfSeen(one), one]));
  const expectedIds = new Map<string, string>();
  let unfinished = false;
  for (const one of made) {
    const row = byTuple.get(tupleOfMade(one));
    if (row === undefined || row.verdict === "pending") unfinished = true;
    if (row?.verdict === "matched" && row.counters === "pending") unfinished = true;
    if (row?.verdict !== one.expected) {
      wrong.push(
        `${one.what} ${tupleOfMade(one)}: expected ${one.expected}, the server says ${row?.verdict ?? "nothing"}`,
      );
    }
    if (row !== undefined && (one.expected === "missing" || one.expected === "differs")) {
      expectedIds.set(row.connection_id, KIND_OF[one.expected]);
    }
  }
  wrong.push(...otherConnections(made, seen), ...findings(expectedIds, found));
  return { wrong, unfinished };
}

/** Connections that the story did not make are the agents' own to the server: it is no node, so nothing is said of them. */
function otherConnections(made: readonly Made[], seen: readonly Seen[]): string[] {
  const known = new Set(made.map(tupleOfMade));
  return seen
    .filter((row) => !known.has(tupleOfSeen(row)) && row.verdict !== "external")
    .map(
      (row) => `${tupleOfSeen(row)}: nobody made it, the server says ${row.verdict} ${row.excuse}`,
    );
}

function findings(expected: ReadonlyMap<string, string>, found: readonly Found[]): string[] {
  const wrong: string[] = [];
  const left = new Map(expected);
  const lost = new Set(LOST_SPOOL);
  for (const one of found) {
    if (left.get(one.connection_id) === one.kind) left.delete(one.connection_id);
    else if (!lost.delete(`${one.kind} ${one.node}`))
      wrong.push(`a finding that nobody injected: ${one.title}`);
  }
  for (const [id, kind] of left) wrong.push(`no finding ${kind} for connection ${id}`);
  for (const one of lost) wrong.push(`no finding ${one}`);
  return wrong;
}

function tupleOfMade(one: Made): string {
  return `${one.protocol} ${one.from.ip}:${one.sourcePort} → ${one.to.ip}:${one.port}`;
}

function tupleOfSeen(row: Seen): string {
  return `${row.proto} ${row.initiator_ip}:${row.initiator_port} → ${row.responder_ip}:${row.responder_port}`;
}
