/**
 * Keeps the truths while they ripen: a half gets its number when its agent writes it, and the time
 * from which on something could be known is that of the batch that carries the later watermark.
 */
import { halfId } from "../../../src/format/half.ts";
import type { Truth, TruthDraft } from "../truth.ts";
import type { HalfPool } from "./half-pool.ts";
import { mark } from "./halves.ts";
import { type MeshNode, START_MS } from "./mesh-node.ts";

/** A truth can be known once this node's stream is complete to then, by true time. */
export interface Await {
  readonly node: MeshNode;
  /** 0: with its next batch. */
  readonly toMs: number;
}

/** From when on it can be known: by watermarks, or from a given time on. */
export interface Knowable {
  /** Whose ids findings may carry. */
  readonly halves?: readonly number[];
  readonly awaits?: readonly Await[];
  /** … and then has to be waited for so long, because an honest node may need it. */
  readonly patienceMs?: number;
  readonly atMs?: number;
}

interface Waiting {
  /** By the node's clock. */
  readonly clockMs: number;
  readonly truth: Truth;
}

export class Ledger {
  /** All so far. */
  readonly truths: Truth[] = [];
  readonly #pool: HalfPool;
  readonly #nodes: readonly MeshNode[];
  readonly #byHalf = new Map<number, Truth>();
  readonly #byNode = new Map<number, Waiting[]>();
  /** How many watermarks each still waits for, and the latest that came. */
  readonly #open = new Map<Truth, { left: number; atMs: number; patienceMs: number }>();

  constructor(pool: HalfPool, nodes: readonly MeshNode[]) {
    this.#pool = pool;
    this.#nodes = nodes;
  }

  /** Writes down what is done now. */
  enter(draft: TruthDraft, knowable: Knowable): Truth {
    const id = this.truths.length;
    const open = { toMs: Number.MAX_SAFE_INTEGER, against: [] };
    const truth: Truth = { ...open, ...draft, id, halves: [], baseMs: null };
    this.truths.push(truth);
    this.add(truth, knowable.halves ?? []);
    if (knowable.atMs !== undefined) truth.baseMs = START_MS + knowable.atMs;
    this.await(truth, knowable.awaits ?? [], knowable.patienceMs);
    return truth;
  }

  /** Findings may carry the ids of these halves too. */
  add(truth: Truth, halves: readonly number[]): void {
    for (const half of halves) {
      mark(this.#pool, half, "tracked");
      this.#byHalf.set(half, truth);
    }
  }

  /** It can be known only when these too are complete. */
  await(truth: Truth, awaits: readonly Await[], patienceMs = 0): void {
    if (awaits.length === 0) return;
    const open = this.#open.get(truth) ?? { left: 0, atMs: 0, patienceMs };
    open.left += awaits.length;
    this.#open.set(truth, open);
    for (const { node, toMs } of awaits) {
      const list = this.#byNode.get(node.index) ?? [];
      this.#byNode.set(node.index, [
        ...list,
        { clockMs: toMs === 0 ? 0 : node.clockMs(toMs), truth },
      ]);
    }
  }

  /** An agent numbered the open of a half that a truth is about. */
  numbered(half: number, seq: number): void {
    const truth = this.#byHalf.get(half);
    this.#byHalf.delete(half);
    const node = this.#nodes[this.#pool.node[half] as number];
    if (truth === undefined || node === undefined) return;
    truth.halves.push(halfId(node.nodeId, node.epoch, seq).toString("hex"));
  }

  /** A batch of this node reaches the server then. */
  arrived(node: MeshNode, completeToMs: number, atMs: number): void {
    const waiting = this.#byNode.get(node.index);
    if (waiting === undefined) return;
    const still = waiting.filter(({ clockMs, truth }) => {
      if (clockMs > completeToMs) return true;
      this.#meet(truth, atMs);
      return false;
    });
    if (still.length === 0) this.#byNode.delete(node.index);
    else this.#byNode.set(node.index, still);
  }

  #meet(truth: Truth, atMs: number): void {
    const open = this.#open.get(truth);
    if (open === undefined) return;
    open.left--;
    open.atMs = Math.max(open.atMs, atMs);
    if (open.left > 0) return;
    this.#open.delete(truth);
    truth.baseMs = START_MS + open.atMs + open.patienceMs;
  }
}
