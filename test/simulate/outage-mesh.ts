/**
 * A mesh of which nodes are away for hours, as the journal that a server would have of it: steady
 * traffic, most of it to and from the first node, made as it is asked for, so that a long outage of a
 * busy node needs no memory of its own.
 */
import type { Entry, Tuple } from "../../src/format/entry.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import type { ReplayRecord } from "./replay-mesh.ts";
import { SimNode } from "./sim-node.ts";

export interface OutagePlan {
  readonly seed: number;
  readonly nodes: number;
  /** A step is a batch of every node. */
  readonly stepMs: number;
  readonly steps: number;
  readonly connectionsPerStep: number;
  /** Nothing begins from this step on. */
  readonly quietFrom?: number;
  /** Steps between two ticks of the server. */
  readonly ticksApart?: number;
  /** Batches that a node which is back delivers in the time of one. */
  readonly catchUp: number;
  /** Ports of an initiator: few, and tuples are used again. */
  readonly ports?: number;
  /** Of 1: halves that nobody has. */
  readonly lacking?: number;
  /** Steps in which a node, by its number, delivers nothing. */
  readonly away: readonly { readonly node: number; readonly from: number; readonly to: number }[];
  /** Steps in which a node records nothing: its batches do not exist. */
  readonly off?: readonly { readonly node: number; readonly from: number; readonly to: number }[];
  /** Entries of a node's own, in its batch of a step. */
  readonly said?: readonly {
    readonly node: number;
    readonly step: number;
    readonly entries: (atMs: number) => readonly Entry[];
  }[];
  /** Entries of the server's, when a step is over. */
  readonly ruled?: readonly {
    readonly step: number;
    readonly entries: (atMs: number, nodes: readonly SimNode[]) => readonly Entry[];
  }[];
  /** What a node's clock is ahead of the server's, by number; 0 where it is not said. */
  readonly offsetsMs?: readonly number[];
}

const START_MS = 1_800_000_000_000;
const TCP = 6;
const UDP = 17;

interface Planned {
  readonly from: number;
  readonly to: number;
  readonly afterMs: number;
  readonly tuple: Tuple;
  readonly bytes: number;
  readonly isRefused: boolean;
  readonly lacks: "initiator" | "responder" | undefined;
}

export function* outageMesh(plan: OutagePlan): Generator<ReplayRecord> {
  yield* new OutageMesh(plan).records();
}

class OutageMesh {
  readonly #plan: OutagePlan;
  readonly #nodes: readonly SimNode[];
  /** The next step of each node that is to be delivered. */
  readonly #next: number[];
  /** Of the step that was asked for last: all nodes ask for one after the other. */
  #last: { step: number; planned: readonly Planned[] } = { step: -1, planned: [] };

  constructor(plan: OutagePlan) {
    this.#plan = plan;
    this.#nodes = Array.from({ length: plan.nodes }, (_, number) => new SimNode(`mesh-${number}`));
    this.#next = this.#nodes.map(() => 0);
  }

  *records(): Generator<ReplayRecord> {
    const { stepMs, steps, ticksApart = 1, ruled = [] } = this.#plan;
    yield { server: this.#nodes.map(enrolled), receivedMs: START_MS };
    for (let step = 0; step < steps; step++) {
      const endMs = START_MS + (step + 1) * stepMs;
      for (const number of this.#next.keys()) yield* this.#deliver(number, step, endMs);
      for (const { step: at, entries } of ruled) {
        if (at === step) yield { server: entries(endMs, this.#nodes), receivedMs: endMs + 40 };
      }
      if (step % ticksApart !== ticksApart - 1) continue;
      yield { server: [{ kind: "tick", atMs: endMs + 50 }], receivedMs: endMs + 50 };
    }
  }

  *#deliver(number: number, step: number, endMs: number): Generator<ReplayRecord> {
    const { away, off = [], catchUp } = this.#plan;
    const isIn = (one: { node: number; from: number; to: number }, at: number): boolean =>
      one.node === number && at >= one.from && at < one.to;
    if (away.some((one) => isIn(one, step))) return;
    const next = this.#next[number] ?? 0;
    const last = Math.min(step, next + catchUp - 1);
    for (let at = next; at <= last; at++) {
      if (off.some((one) => isIn(one, at))) continue;
      const node = this.#nodes[number];
      if (node === undefined) continue;
      yield { nodeId: node.id, frame: this.#batch(node, number, at), receivedMs: endMs + number };
    }
    this.#next[number] = last + 1;
  }

  #batch(node: SimNode, number: number, step: number): Uint8Array {
    const { stepMs, said = [], offsetsMs = [] } = this.#plan;
    const offsetMs = offsetsMs[number] ?? 0;
    const beginMs = START_MS + step * stepMs + offsetMs;
    if (step === 0) {
      node.emit({ kind: "start", atMs: beginMs, facts: { bootId: node.name } });
      node.emit({ kind: "addresses", atMs: beginMs, networks: { default: [addressOf(number)] } });
    }
    for (const one of this.#planned(step)) {
      if (one.from === number && one.lacks !== "initiator") record(node, one, true, beginMs);
      if (one.to === number && one.lacks !== "responder" && !one.isRefused)
        record(node, one, false, beginMs);
    }
    for (const one of said) {
      if (one.node !== number || one.step !== step) continue;
      for (const entry of one.entries(beginMs + stepMs)) node.emit(entry);
    }
    node.atMs = beginMs + stepMs;
    return node.seal(node.atMs);
  }

  /** The same for every node that asks, whenever it does. */
  #planned(step: number): readonly Planned[] {
    const { seed, connectionsPerStep, quietFrom = Infinity } = this.#plan;
    if (step >= quietFrom) return [];
    if (this.#last.step === step) return this.#last.planned;
    const random = new SeededRandom(seed * 1_000_003 + step);
    const planned = Array.from({ length: connectionsPerStep }, () => this.#one(random));
    planned.sort((a, b) => a.afterMs - b.afterMs);
    this.#last = { step, planned };
    return planned;
  }

  #one(random: SeededRandom): Planned {
    const { nodes, stepMs, ports = 28_000, lacking = 0 } = this.#plan;
    const other = random.integer(1, nodes - 1);
    const far = 1 + ((other + random.below(Math.max(1, nodes - 2))) % (nodes - 1));
    const [from, to] = random.pick([
      [other, 0],
      [other, 0],
      [other, 0],
      [0, other],
      [other, far],
    ] as const);
    return {
      from,
      to,
      afterMs: random.below(stepMs - 100),
      tuple: {
        protocol: random.pick([TCP, TCP, TCP, UDP]),
        initiatorIp: addressOf(from),
        initiatorPort: 30_000 + random.below(ports),
        responderIp: addressOf(to),
        responderPort: random.pick([443, 53, 5432]),
      },
      bytes: random.integer(200, 90_000),
      isRefused: random.chance(lacking),
      lacks: random.chance(lacking) ? random.pick(["initiator", "responder"] as const) : undefined,
    };
  }
}

function record(node: SimNode, one: Planned, isInitiator: boolean, beginMs: number): void {
  if (one.from === one.to) return;
  const atMs = beginMs + one.afterMs + (isInitiator ? 0 : 2);
  const role = isInitiator ? "initiator" : "responder";
  const openSeq = node.emit({ kind: "open", atMs, role, tuple: one.tuple, pickup: false });
  const { bytes } = one;
  const counters = {
    initiatorPackets: 6,
    initiatorBytes: bytes,
    responderPackets: one.isRefused ? 0 : 5,
    responderBytes: one.isRefused ? 0 : bytes * 3,
  };
  const state = one.isRefused ? "REJ" : "SF";
  const ending = { atMs: atMs + 60, openSeq, ageMs: 60, state, assured: !one.isRefused } as const;
  node.emit({ kind: "close", ...ending, inferred: false, counters });
}

function enrolled(node: SimNode): Entry {
  const publicKey = node.publicKey.toString("base64url");
  const { id, name } = node;
  return { kind: "enrolled", atMs: START_MS, node: id, name, publicKey, enrolmentKey: "AAAAAAAA" };
}

function addressOf(number: number): string {
  return `10.7.${number >> 8}.${(number & 255) + 1}`;
}
