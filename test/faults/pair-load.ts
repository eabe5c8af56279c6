/**
 * Honest load: two nodes that talk to each other without pause. Each connection is recorded by both,
 * each log line has a number of its own, so that whoever counts afterwards knows what must be there.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Entry, OpenEntry, Role } from "../../src/format/entry.ts";
import type { SeededRandom } from "../../src/std/seeded-random.ts";
import type { HttpNode } from "./http-node.ts";

/** Between two rounds of connections. */
const ROUND_MS = 60;
const CONNECTIONS_PER_ROUND_MAX = 12;
const PORT_MIN = 1_024;
const PORTS = 60_000;
const SERVICES = 400;

export interface PairOptions {
  /** The clock of the node at this end. Default: the machine's. */
  readonly clockMs?: (end: 0 | 1) => number;
  /** How late the second node sends at most, so that halves stand alone for a while. */
  readonly lateMsMax?: number;
}

/** A half that was opened and not closed yet. */
interface OpenHalf {
  readonly node: HttpNode;
  readonly openSeq: number;
  readonly openedMs: number;
  readonly bytes: number;
}

export class PairLoad {
  readonly nodes: readonly [HttpNode, HttpNode];
  readonly #random: SeededRandom;
  readonly #clockMs: (end: 0 | 1) => number;
  readonly #lateMsMax: number;
  #open: OpenHalf[] = [];
  #ending = false;
  connections = 0;
  logs = 0;

  constructor(
    nodes: readonly [HttpNode, HttpNode],
    random: SeededRandom,
    { clockMs = () => Date.now(), lateMsMax = ROUND_MS }: PairOptions = {},
  ) {
    this.nodes = nodes;
    this.#random = random;
    this.#clockMs = clockMs;
    this.#lateMsMax = lateMsMax;
  }

  /** The first entries of both: what they are. */
  begin(): void {
    for (const node of this.nodes) {
      const atMs = this.#nowMs(node);
      node.hand({ kind: "start", atMs, facts: {} });
      node.hand({ kind: "addresses", atMs, networks: { default: [node.ip] } });
    }
  }

  /** Talks until `end`; resolves when all of it is acknowledged. */
  async run(): Promise<void> {
    await Promise.all([this.#talk(), ...this.nodes.map((node) => this.#ship(node))]);
  }

  end(): void {
    this.#ending = true;
  }

  async #talk(): Promise<void> {
    while (!this.#ending) {
      this.#round();
      await pause(ROUND_MS);
    }
    this.#closeAll();
  }

  async #ship(node: HttpNode): Promise<void> {
    while (!this.#ending || !node.idle || this.#open.length > 0) {
      const lateMsMax = node === this.nodes[1] ? this.#lateMsMax : ROUND_MS;
      await pause(this.#random.integer(1, this.#ending ? ROUND_MS : lateMsMax));
      if (!node.idle) await node.deliver(this.#nowMs(node));
    }
  }

  /** Ends about half of what is open, and begins something new: opens and closes part company at batches' ends. */
  #round(): void {
    const ending = this.#open.splice(0, this.#random.integer(0, this.#open.length));
    for (const half of ending) this.#close(half);
    const count = this.#random.integer(1, CONNECTIONS_PER_ROUND_MAX);
    for (let at = 0; at < count; at++) this.#connect();
    for (const node of this.nodes) node.hand(this.#log(node));
  }

  #closeAll(): void {
    for (const half of this.#open.splice(0)) this.#close(half);
  }

  #connect(): void {
    const [a, b] = this.#random.chance() ? this.nodes : this.nodes.toReversed();
    if (a === undefined || b === undefined) return;
    const number = this.connections++;
    const tuple = {
      protocol: 6,
      initiatorIp: a.ip,
      initiatorPort: PORT_MIN + (number % PORTS),
      responderIp: b.ip,
      responderPort: 1 + (Math.floor(number / PORTS) % SERVICES),
    };
    const bytes = this.#random.integer(100, 100_000);
    const ends: readonly (readonly [HttpNode, Role])[] = [
      [a, "initiator"],
      [b, "responder"],
    ];
    for (const [node, role] of ends) {
      const openedMs = this.#nowMs(node);
      const open: OpenEntry = { kind: "open", atMs: openedMs, role, tuple, pickup: false };
      this.#open.push({ node, openSeq: node.hand(open), openedMs, bytes });
    }
  }

  #close({ node, openSeq, openedMs, bytes }: OpenHalf): void {
    // A clock that was set back makes nothing older.
    const atMs = Math.max(openedMs, this.#nowMs(node));
    const counters = {
      initiatorPackets: 5,
      initiatorBytes: bytes,
      responderPackets: 5,
      responderBytes: 2 * bytes,
    };
    const how = { state: "SF", assured: true, inferred: false, counters } as const;
    node.hand({ kind: "close", atMs, openSeq, ageMs: atMs - openedMs, ...how });
  }

  #log(node: HttpNode): Entry {
    const body = `${this.nodes[0].name} line ${this.logs++}`;
    return { kind: "log", atMs: this.#nowMs(node), severity: 9, body, attributes: {} };
  }

  #nowMs(node: HttpNode): number {
    return this.#clockMs(node === this.nodes[0] ? 0 : 1);
  }
}
