/**
 * Connections by whether both ends recorded them, and why the rest has one end only: in all, per
 * network and per node. Pure.
 */
import type { CoverageSpan, Share } from "../../api/status.ts";

/** Connections of one kind, of one network or of one node at one end. */
export interface GroupRow {
  /** What `name` names: a network, or a node that was the `initiator` or the `responder`. */
  readonly part: "network" | "initiator" | "responder";
  /** Of a node empty where nobody has the address. */
  readonly name: string;
  readonly verdict: string;
  readonly excuse: string;
  readonly two_halves: number;
  readonly connections: number;
}

/** A peer without an agent, in one stretch of time. */
export interface PeerRow {
  readonly network: string;
  readonly address: string;
  readonly connections: number;
  /** That talked to it. */
  readonly nodes: number;
}

export type Span = Omit<CoverageSpan, "from" | "counted_at">;

/** So many peers are kept: more than are named, as some turn out to be known. */
const PEERS_KEPT = 1_000;

/** Sums groups and peers of any number of stretches of time. */
export class Tally {
  readonly #total = new Counts();
  readonly #networks = new Map<string, Counts>();
  readonly #nodes = new Map<string, Counts>();
  readonly #peers = new Map<string, PeerRow>();

  addGroup(row: GroupRow): void {
    if (row.part === "network") {
      this.#total.add(row);
      countsOf(this.#networks, row.name).add(row);
    } else if (row.name !== "") {
      countsOf(this.#nodes, row.name).add(row);
    }
  }

  addPeer(row: PeerRow): void {
    const key = `${row.network} ${row.address}`;
    const known = this.#peers.get(key);
    this.#peers.set(key, {
      ...row,
      connections: row.connections + (known?.connections ?? 0),
      nodes: Math.max(row.nodes, known?.nodes ?? 0),
    });
  }

  /** `nodes`: the names that are there also without any connection. */
  span(nodes: readonly string[]): Span {
    const names = new Set([...nodes, ...this.#nodes.keys()]);
    return {
      ...this.#total.share,
      networks: [...this.#networks].map(named).toSorted(byName),
      nodes: [...names]
        .map((name) => named([name, this.#nodes.get(name) ?? NONE]))
        .toSorted(byName),
      unmonitored_peers: [...this.#peers.values()].toSorted(byRank).slice(0, PEERS_KEPT),
    };
  }
}

class Counts {
  #connections = 0;
  #bothEnds = 0;
  #external = 0;
  readonly #reasons = new Map<string, number>();

  add({ verdict, excuse, two_halves, connections }: Omit<GroupRow, "part" | "name">): void {
    this.#connections += connections;
    if (two_halves === 1) {
      this.#bothEnds += connections;
      return;
    }
    const reason = excuse === "" ? verdict : excuse;
    if (reason === "external") this.#external += connections;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + connections);
  }

  get share(): Share {
    const between = this.#connections - this.#external;
    const reasons = [...this.#reasons].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return {
      connections: this.#connections,
      both_ends: this.#bothEnds,
      share: ratio(this.#bothEnds, this.#connections),
      between_nodes: { connections: between, share: ratio(this.#bothEnds, between) },
      one_end_by_reason: Object.fromEntries(reasons),
    };
  }
}

const NONE = new Counts();

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function countsOf(among: Map<string, Counts>, name: string): Counts {
  let counts = among.get(name);
  if (counts === undefined) {
    counts = new Counts();
    among.set(name, counts);
  }
  return counts;
}

function named([name, counts]: readonly [string, Counts]): Span["nodes"][number] {
  return { name, ...counts.share };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** Most connections first; then by address, so that the order is always the same. */
function byRank(a: PeerRow, b: PeerRow): number {
  return b.connections - a.connections || (a.address < b.address ? -1 : 1);
}
