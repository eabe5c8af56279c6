/** Much honest traffic between a few nodes, as signed batches of a realistic size; seeded. */
import { SimNode } from "./sim-node.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";

export interface BusyOptions {
  readonly connections: number;
  readonly nodes: number;
  readonly seed?: number;
  /** Unix ms of the first batch. */
  readonly startMs?: number;
  /** Connections between two batches of a node. */
  readonly connectionsPerBatch?: number;
  /** How many are opened in a millisecond. */
  readonly connectionsPerMs?: number;
  /** The kernel gives the last counters so long after the end. */
  readonly accountedAfterMs?: number;
  deliver(frame: Uint8Array, atMs: number): void;
}

interface Living {
  readonly ends: readonly [SimNode, number][];
  readonly openedMs: number;
  readonly bytes: number;
}

const START_MS = 1_800_000_000_000;
/** Connections that live at once, before the oldest ends. */
const ALIVE = 2_000;
const PORTS = [80, 443, 22, 5432] as const;

export function busyMesh(options: BusyOptions): { server: SimNode; nodes: readonly SimNode[] } {
  const { connectionsPerBatch = 4_000, connectionsPerMs = 20, accountedAfterMs = 0 } = options;
  const deliver = (frame: Uint8Array, atMs: number) => options.deliver(frame, atMs);
  const random = new SeededRandom(options.seed ?? 1);
  const server = new SimNode("server");
  const nodes = Array.from({ length: options.nodes }, (_, index) => new SimNode(`node-${index}`));
  let nowMs = options.startMs ?? START_MS;
  enrol(server, nodes, nowMs);
  deliver(server.seal(nowMs), nowMs);
  const living: Living[] = [];
  /** By when they are accounted for. */
  const ended = new Map<number, Living[]>();
  const finish = (one: Living | undefined): void => {
    if (one === undefined) return;
    close(one, nowMs);
    const atMs = nowMs + accountedAfterMs;
    const others = ended.get(atMs);
    if (others === undefined) ended.set(atMs, [one]);
    else others.push(one);
  };
  for (let count = 0; count < options.connections; count++) {
    if (count % connectionsPerMs === 0) nowMs++;
    const from = random.below(nodes.length);
    const to = (from + 1 + random.below(nodes.length - 1)) % nodes.length;
    living.push(
      open({
        nodes,
        from,
        to,
        port: 1024 + random.below(60_000),
        service: PORTS[random.below(PORTS.length)] ?? 80,
        nowMs,
        bytes: 400 + random.below(5_000),
      }),
    );
    if (living.length > ALIVE) finish(living.shift());
    for (const one of ended.get(nowMs) ?? []) account(one, nowMs);
    ended.delete(nowMs);
    if (count % connectionsPerBatch === connectionsPerBatch - 1) flush(nodes, nowMs, deliver);
  }
  for (const one of living) finish(one);
  for (const one of [...ended.values()].flat()) account(one, nowMs);
  flush(nodes, nowMs, deliver);
  return { server, nodes };
}

function enrol(server: SimNode, nodes: readonly SimNode[], atMs: number): void {
  for (const [index, node] of nodes.entries()) {
    const publicKey = node.publicKey.toString("base64url");
    server.emit({
      kind: "enrolled",
      atMs,
      node: node.id,
      name: node.name,
      publicKey,
      enrolmentKey: "AAAAAAAA",
    });
    node.emit({ kind: "start", atMs, facts: {} });
    node.emit({ kind: "addresses", atMs, networks: { default: [addressOf(index)] } });
  }
}

function addressOf(index: number): string {
  return `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

interface Opening {
  readonly nodes: readonly SimNode[];
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly service: number;
  readonly nowMs: number;
  readonly bytes: number;
}

function open(opening: Opening): Living {
  const { nodes, from, to, nowMs, bytes } = opening;
  const tuple = {
    protocol: 6,
    initiatorIp: addressOf(from),
    initiatorPort: opening.port,
    responderIp: addressOf(to),
    responderPort: opening.service,
  };
  const ends = (
    [
      ["initiator", from],
      ["responder", to],
    ] as const
  ).flatMap(([role, index]) => {
    const node = nodes[index];
    if (node === undefined) return [];
    return [
      [node, node.emit({ kind: "open", atMs: nowMs, role, tuple, pickup: false })] as [
        SimNode,
        number,
      ],
    ];
  });
  return { ends, openedMs: nowMs, bytes };
}

function close({ ends, openedMs }: Living, nowMs: number): void {
  for (const [node, openSeq] of ends) {
    node.emit({ kind: "close", ...ending(openSeq, openedMs, nowMs), inferred: false });
  }
}

function account({ ends, openedMs, bytes }: Living, nowMs: number): void {
  const counters = {
    initiatorPackets: 6,
    initiatorBytes: bytes,
    responderPackets: 5,
    responderBytes: bytes * 3,
  };
  for (const [node, openSeq] of ends) {
    node.emit({ kind: "account", ...ending(openSeq, openedMs, nowMs), counters });
  }
}

function ending(openSeq: number, openedMs: number, nowMs: number) {
  return { atMs: nowMs, openSeq, ageMs: nowMs - openedMs, state: "SF", assured: true } as const;
}

function flush(nodes: readonly SimNode[], nowMs: number, deliver: BusyOptions["deliver"]): void {
  for (const node of nodes) deliver(node.seal(nowMs), nowMs + 5);
}
