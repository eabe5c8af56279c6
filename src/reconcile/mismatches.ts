/**
 * What nothing excuses: the findings about connections, and who lies. The first mismatches of a pair
 * within an hour are findings of their own; beyond them one finding counts the rest, told again
 * whenever it doubles, so that a liar cannot fill the journal with the evidence against it.
 */
import { WhoLies } from "./accuse.ts";
import {
  accusedFinding,
  countersDiffer,
  manyMismatches,
  missingHalf,
  mismatchOf,
  type About,
} from "./findings.ts";
import type { CounterDifference } from "./counters.ts";
import type { Half } from "./half-records.ts";
import { MISMATCHES_TOLD_PER_HOUR } from "./limits.ts";
import type { Fold, MismatchMemory } from "./mismatch-memory.ts";
import type { NodeStream } from "./node-stream.ts";
import { noteCompared } from "./trust-trend.ts";

export interface MismatchParts {
  readonly nodeOf: (id: string) => NodeStream;
  readonly conclude: (about: About, state?: "open" | "resolved", revision?: number) => void;
}

const HOUR_MS = 3_600_000;
const FOLDS_KEPT_HOURS = 48;

export class Mismatches {
  readonly #parts: MismatchParts;
  readonly #whoLies: WhoLies;
  readonly #memory: MismatchMemory;

  constructor(parts: MismatchParts, memory: MismatchMemory) {
    this.#parts = parts;
    this.#memory = memory;
    this.#whoLies = new WhoLies({}, memory.lying);
  }

  /** `peer` has no half for `half`, and nothing says why. */
  missing(half: Half, peer: NodeStream, nowMs: number): void {
    const own = this.#parts.nodeOf(half.node.id);
    const about = missingHalf(half, peer);
    this.#tell(about, { nodes: [own, peer], lacks: peer.id, atMs: half.serverMs, nowMs });
  }

  /** The half that was missing came after all. */
  came(half: Half, peer: NodeStream): void {
    const about = missingHalf(half, peer);
    this.#whoLies.remove(mismatchOf(about));
    this.#parts.conclude(about, "resolved");
  }

  differ(key: Half, other: Half, difference: CounterDifference, nowMs: number): void {
    const nodes: [NodeStream, NodeStream] = [
      this.#parts.nodeOf(key.node.id),
      this.#parts.nodeOf(other.node.id),
    ];
    this.#tell(countersDiffer([key, other], difference), { nodes, atMs: key.serverMs, nowMs });
  }

  /** A person excused the finding with this id, or took that back. */
  excused(id: string): void {
    this.#whoLies.remove(id);
  }

  /** Puts back an open finding of an earlier run. */
  restore(mismatch: Parameters<WhoLies["add"]>[0]): void {
    this.#whoLies.add(mismatch);
  }

  /** At a tick, after all else was decided. */
  review(nowMs: number): void {
    this.#tellFolds(nowMs);
    const { accused } = this.#whoLies.review(nowMs);
    this.#memory.lying = { ...this.#whoLies.memory };
    const now = Object.fromEntries(accused.map((one) => [one.node, one]));
    for (const accusation of accused) {
      this.#parts.conclude(accusedFinding(accusation, this.#parts.nodeOf));
    }
    for (const [node, accusation] of Object.entries(this.#memory.accused)) {
      if (now[node] === undefined) {
        this.#parts.conclude(accusedFinding(accusation, this.#parts.nodeOf), "resolved");
      }
    }
    this.#memory.accused = now;
  }

  #tell(
    about: About,
    what: {
      readonly nodes: readonly [NodeStream, NodeStream];
      readonly lacks?: string;
      readonly atMs: number;
      readonly nowMs: number;
    },
  ): void {
    const { nodes, lacks, atMs, nowMs } = what;
    const [one, other] = nodes;
    for (const node of nodes) {
      node.changed = true;
      noteCompared(node.memory.trend, nowMs, { compared: 0, unexplained: 1 });
    }
    const fold = this.#foldOf(about.kind, one, other, atMs);
    fold.count++;
    fold.firstMs = Math.min(fold.firstMs, atMs);
    fold.lastMs = Math.max(fold.lastMs, atMs);
    if (fold.count > MISMATCHES_TOLD_PER_HOUR) return;
    const id = mismatchOf(about);
    this.#whoLies.add({ id, kind: about.kind, nodes: [one.id, other.id], lacks, atMs });
    this.#parts.conclude(about);
  }

  #foldOf(kind: string, one: NodeStream, other: NodeStream, atMs: number): Fold {
    const [low, high] = one.id < other.id ? [one.id, other.id] : [other.id, one.id];
    const key = `${kind} ${low} ${high} ${Math.floor(atMs / HOUR_MS)}`;
    return (this.#memory.folds[key] ??= { count: 0, firstMs: atMs, lastMs: atMs, told: 0 });
  }

  /** In the order of their keys, so that what is told does not depend on who came first. */
  #tellFolds(nowMs: number): void {
    const { folds } = this.#memory;
    const oldestHour = Math.floor(nowMs / HOUR_MS) - FOLDS_KEPT_HOURS;
    for (const key of Object.keys(folds).sort()) {
      const fold = folds[key];
      if (fold === undefined) continue;
      const [kind = "", low = "", high = "", hour = "0"] = key.split(" ");
      if (Number(hour) < oldestHour) {
        delete folds[key];
        continue;
      }
      const isDue = fold.count > MISMATCHES_TOLD_PER_HOUR && fold.count >= fold.told * 2;
      if (!isDue || fold.told === fold.count) continue;
      fold.told = fold.count;
      const nodes = [this.#parts.nodeOf(low), this.#parts.nodeOf(high)] as const;
      this.#parts.conclude(
        manyMismatches(kind, nodes, { hour: Number(hour), fold }),
        "open",
        fold.count,
      );
    }
  }
}
