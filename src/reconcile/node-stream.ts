/**
 * What reconcile knows of one node from its stream: what it claims, how far it is complete, when it
 * was away, and what it admitted to have lost. Survives a restart as JSON in the store.
 */
import type { BatchHeader } from "../format/batch.ts";
import type { GapEntry } from "../format/entry.ts";
import type { Connection } from "./connection.ts";
import type { HalfOwner } from "./half.ts";
import { BLIND_AFTER_MS, EXCUSES_PER_NODE_MAX } from "./limits.ts";

/** `server`: the server's own stream, which is no node of the mesh. */
export type NodeState = "active" | "silent" | "stopped" | "opted_out" | "revoked" | "server";

/** A time, by the node's clock, in which it declared not to observe. `toMs` null: still. */
export interface Absence {
  readonly reason: "stopped" | "opted_out" | "not_started";
  readonly fromMs: number;
  toMs: number | null;
}

/** A gap and how many halves it may still excuse. */
export interface GapBudget {
  readonly cause: GapEntry["cause"];
  readonly fromMs: number;
  readonly toMs: number;
  remaining: number;
  /** Where the admission stands. */
  readonly index: number;
  readonly seq: number;
}

/** Numbers that were skipped and are not all declared lost; ranges are inclusive. */
export interface Hole {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly index: number;
  readonly seenMs: number;
  /** What no gap has named yet: several gaps may have to explain one hole. */
  unexplained: [first: number, last: number][];
  /** A finding about it is open. */
  told: boolean;
}

export interface NodeMemory {
  epoch: number;
  nextSeq: number;
  state: NodeState;
  addresses: Record<string, string[]>;
  /** Node clock: complete up to here. */
  watermarkMs: number;
  lastReceivedMs: number;
  lastClosedMs: number;
  /** Node clock: when its agent last began to observe. */
  startedMs: number;
  /** Smallest difference of receiving and closing ever seen: delay and clock offset of a batch that did not wait. */
  leastLagMs: number | null;
  /** Journal time when a batch last arrived that had not waited in the spool. */
  freshAtMs: number;
  absences: Absence[];
  gaps: GapBudget[];
  holes: Hole[];
}

/** A batch that arrived this much later than the quickest one had been waiting. */
const STALE_LAG_MS = 5_000;

export class NodeStream implements HalfOwner {
  readonly id: string;
  name: string;
  /** Something to be written to the store changed. */
  changed = true;
  readonly memory: NodeMemory;
  /** Connections that may still change, by the `seq` of this node's open in the current epoch. */
  readonly live = new Map<number, Connection>();

  constructor(id: string, name: string, memory?: NodeMemory) {
    this.id = id;
    this.name = name;
    this.memory = memory ?? emptyMemory();
  }

  /** Takes the times of a batch. Batches come in the order of the node's chain. */
  advance(header: BatchHeader, receivedMs: number): void {
    const { memory } = this;
    memory.watermarkMs = Math.max(memory.watermarkMs, header.completeToMs);
    memory.lastReceivedMs = receivedMs;
    memory.lastClosedMs = header.closedAtMs;
    const lagMs = receivedMs - header.closedAtMs;
    memory.leastLagMs = Math.min(memory.leastLagMs ?? lagMs, lagMs);
    if (lagMs - memory.leastLagMs <= STALE_LAG_MS) memory.freshAtMs = receivedMs;
    this.changed = true;
  }

  /** For people: its state, or `blind` when it reports and can prove nothing of what its kernel did. */
  get shownState(): NodeState | "blind" {
    const { state, lastClosedMs, watermarkMs, startedMs } = this.memory;
    const unseenMs = lastClosedMs - Math.max(watermarkMs, startedMs);
    return state === "active" && unseenMs > BLIND_AFTER_MS ? "blind" : state;
  }

  claims(network: string, address: string): boolean {
    return this.memory.addresses[network]?.includes(address) ?? false;
  }

  /** Begins an absence; the same one twice is one. */
  leave(reason: Absence["reason"], fromMs: number): void {
    const known = this.memory.absences.some(
      (one) => one.reason === reason && one.fromMs === fromMs,
    );
    if (known) return;
    this.memory.absences.push({ reason, fromMs, toMs: null });
    keepLast(this.memory.absences, EXCUSES_PER_NODE_MAX);
    this.changed = true;
  }

  /** Ends every open absence. */
  comeBack(atMs: number): void {
    for (const absence of this.memory.absences) absence.toMs ??= atMs;
    this.changed = true;
  }

  absenceAt(atMs: number, slackMs: number): Absence | undefined {
    return this.memory.absences.find(
      (absence) =>
        absence.fromMs - slackMs <= atMs &&
        (absence.toMs === null || atMs <= absence.toMs + slackMs),
    );
  }

  /** Whether it declared that its kernel did not track for a part of this time, by its own clock. */
  wasBlind(fromMs: number, toMs: number): boolean {
    const { absences, gaps } = this.memory;
    return (
      absences.some((one) => one.fromMs <= toMs && (one.toMs === null || one.toMs >= fromMs)) ||
      gaps.some((one) => one.cause === "pressure" && one.fromMs <= toMs && one.toMs >= fromMs)
    );
  }

  /** Remembers a gap; the same entry twice is one. */
  admit(gap: GapBudget): void {
    if (this.memory.gaps.some((one) => one.index === gap.index && one.seq === gap.seq)) return;
    this.memory.gaps.push(gap);
    keepLast(this.memory.gaps, EXCUSES_PER_NODE_MAX);
    this.changed = true;
  }

  /** Uses up one lost entry of a gap around `atMs`, if there is one. */
  spendGap(atMs: number, slackMs: number): GapBudget | undefined {
    const gap = this.memory.gaps.find(
      (one) => one.remaining > 0 && one.fromMs - slackMs <= atMs && atMs <= one.toMs + slackMs,
    );
    if (gap === undefined) return undefined;
    gap.remaining--;
    this.changed = true;
    return gap;
  }

  /** Notes the numbers that `header` skipped. */
  noteHole(header: BatchHeader, index: number, receivedMs: number): void {
    const { memory } = this;
    if (header.epoch === memory.epoch && header.seqFirst > memory.nextSeq) {
      const last = header.seqFirst - 1;
      const first = memory.nextSeq;
      const { epoch } = header;
      const unexplained: Hole["unexplained"] = [[first, last]];
      memory.holes.push({
        epoch,
        first,
        last,
        index,
        seenMs: receivedMs,
        unexplained,
        told: false,
      });
      keepLast(memory.holes, EXCUSES_PER_NODE_MAX);
    }
    memory.epoch = header.epoch;
    memory.nextSeq = header.seqFirst + header.entryCount;
    this.changed = true;
  }

  /** A gap entry names numbers: they are no hole any more. Returns the holes that are explained by now. */
  explainHoles(first: number, last: number): Hole[] {
    const { memory } = this;
    for (const hole of memory.holes) hole.unexplained = without(hole.unexplained, first, last);
    const explained = memory.holes.filter((hole) => hole.unexplained.length === 0);
    memory.holes = memory.holes.filter((hole) => hole.unexplained.length > 0);
    this.changed = true;
    return explained;
  }
}

function emptyMemory(): NodeMemory {
  return {
    epoch: 0,
    nextSeq: 0,
    state: "active",
    addresses: {},
    watermarkMs: 0,
    lastReceivedMs: 0,
    lastClosedMs: 0,
    startedMs: 0,
    leastLagMs: null,
    freshAtMs: 0,
    absences: [],
    gaps: [],
    holes: [],
  };
}

function without(ranges: Hole["unexplained"], first: number, last: number): Hole["unexplained"] {
  return ranges.flatMap(([from, to]) => {
    if (last < from || to < first) return [[from, to]];
    const left: Hole["unexplained"] = [];
    if (from < first) left.push([from, first - 1]);
    if (to > last) left.push([last + 1, to]);
    return left;
  });
}

function keepLast(list: unknown[], max: number): void {
  if (list.length > max) list.splice(0, list.length - max);
}
