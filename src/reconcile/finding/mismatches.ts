/**
 * What nothing excuses: the findings about connections, and who lies. The first mismatches of a pair
 * within an hour are findings of their own; beyond them one finding counts the rest, told again
 * whenever it doubles, so that a liar cannot fill the journal with the evidence against it. An accusation is
 * told again whenever its witnesses have doubled.
 */
import type { RulingEntry } from "../../format/entry.ts";
import { WhoLies } from "./accuse.ts";
import { rulingEndMs } from "../../format/finding-state.ts";
import {
  accusedFinding,
  countersDiffer,
  manyMismatches,
  missingHalf,
  mismatchOf,
  type About,
} from "./findings.ts";
import type { CounterDifference } from "../decide/counters.ts";
import type { Half } from "../half/half-records.ts";
import { hourOf } from "../hours.ts";
import {
  EXCUSED_MISMATCHES_MAX,
  FOLDS_KEPT_HOURS,
  MISMATCHES_TOLD_PER_HOUR,
  MISMATCH_FOLDS_MAX,
} from "../limits.ts";
import type { Accusation, Fold, Mismatch, MismatchMemory } from "../node/server-memory.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { noteCompared, noteExplained } from "../node/trust-trend.ts";

interface MismatchParts {
  readonly nodeOf: (id: string) => NodeStream;
  readonly conclude: (about: About, state?: "open" | "resolved", revision?: number) => void;
}

export class Mismatches {
  readonly #parts: MismatchParts;
  readonly #whoLies: WhoLies;
  readonly #memory: MismatchMemory;
  /** Those of `#memory.excused`, which nobody is accused for. */
  readonly #aside = new Map<string, Mismatch>();

  constructor(parts: MismatchParts, memory: MismatchMemory) {
    this.#parts = parts;
    this.#memory = memory;
    this.#whoLies = new WhoLies({ maxLiars: memory.maxLiars }, memory.lying);
  }

  /** `peer` has no half for `half`, and nothing says why. `forwarder`: by whose record it is `peer` that lacks it. */
  missing(
    half: Half,
    peer: NodeStream,
    { nowMs, forwarder }: { readonly nowMs: number; readonly forwarder?: Half | undefined },
  ): void {
    const own = this.#parts.nodeOf(half.node.id);
    const forwarders = forwarder && this.#nodesOf([forwarder]);
    const about = missingHalf(half, peer, forwarders);
    const what = { lacks: peer.id, atMs: half.serverMs, nowMs, forwarders };
    this.#tell(about, { nodes: [own, peer], ...what });
  }

  /** The half that was missing came after all. */
  came(half: Half, peer: NodeStream): void {
    const id = mismatchOf(missingHalf(half, peer));
    const counted = this.#whoLies.remove(id);
    const lacks = (counted ?? this.#aside.get(id))?.lacks;
    // A translator may have stood before another node than the one that was told to lack it.
    const told = lacks === undefined ? peer : this.#parts.nodeOf(lacks);
    if (!this.#aside.has(id)) this.#explained([half.node.id, told.id], half.serverMs);
    this.forget(id);
    this.#parts.conclude(missingHalf(half, told), "resolved");
  }

  /** The counters of two halves do not fit. `forwarders`: by whose records the two are one connection. */
  differ(
    key: Half,
    other: Half,
    what: {
      readonly difference: CounterDifference;
      readonly forwarders?: readonly Half[] | undefined;
      readonly nowMs: number;
    },
  ): void {
    const { difference, nowMs } = what;
    const forwarders = what.forwarders && this.#nodesOf(what.forwarders);
    const nodes: [NodeStream, NodeStream] = [
      this.#parts.nodeOf(key.node.id),
      this.#parts.nodeOf(other.node.id),
    ];
    const about = countersDiffer([key, other], difference, forwarders);
    this.#tell(about, { nodes, atMs: key.serverMs, nowMs, forwarders });
  }

  /** The server was started with this f, which counts from its next tick on. 1 to `LIARS_MAX`. */
  allowLiars(maxLiars: number): void {
    this.#memory.maxLiars = maxLiars;
    this.#whoLies.maxLiars = maxLiars;
  }

  /** A person's word about the finding that a mismatch is: what is excused speaks against nobody. */
  ruled(entry: RulingEntry): void {
    const { finding: id, ruling } = entry;
    if (ruling !== "excused") return this.#putBack(id);
    const counted = this.#whoLies.remove(id);
    const mismatch = counted ?? this.#aside.get(id);
    // About something else, or about what is resolved.
    if (mismatch === undefined) return;
    if (counted !== undefined) this.#explained(counted.nodes, counted.atMs);
    this.#aside.set(id, mismatch);
    const { excused } = this.#memory;
    excused[id] = rulingEndMs(entry);
    if (this.#aside.size > EXCUSED_MISMATCHES_MAX) this.#putBack(firstToEnd(excused));
  }

  /** It is resolved. */
  forget(id: string): void {
    this.#whoLies.remove(id);
    this.#aside.delete(id);
    delete this.#memory.excused[id];
  }

  /** Puts back an open finding of an earlier run. */
  restore(mismatch: Mismatch): void {
    if (this.#memory.excused[mismatch.id] === undefined) this.#whoLies.add(mismatch);
    else this.#aside.set(mismatch.id, mismatch);
  }

  #putBack(id: string): void {
    const mismatch = this.#aside.get(id);
    this.#aside.delete(id);
    delete this.#memory.excused[id];
    if (mismatch === undefined) return;
    this.#whoLies.add(mismatch);
    const { nodes, atMs } = mismatch;
    for (const node of nodes) {
      const stream = this.#parts.nodeOf(node);
      stream.changed = true;
      noteCompared(stream.memory.trend, atMs, { compared: 0, unexplained: 1 });
    }
  }

  #explained(nodes: readonly string[], atMs: number): void {
    for (const node of nodes) {
      const stream = this.#parts.nodeOf(node);
      stream.changed = true;
      noteExplained(stream.memory.trend, atMs);
    }
  }

  /** At a tick, after all else was decided. */
  review(nowMs: number): void {
    this.#tellFolds(nowMs);
    for (const [id, untilMs] of Object.entries(this.#memory.excused)) {
      if (nowMs >= untilMs) this.#putBack(id);
    }
    const accused = this.#whoLies.review(nowMs);
    this.#memory.lying = { ...this.#whoLies.memory };
    const told: MismatchMemory["accused"] = {};
    for (const accusation of accused) {
      const before = this.#memory.accused[accusation.node];
      told[accusation.node] = before ?? accusation;
      const count = accusation.witnesses.length;
      if (before !== undefined && count < 2 * before.witnesses.length) continue;
      told[accusation.node] = accusation;
      this.#parts.conclude(this.#finding(accusation), "open", count);
    }
    for (const [node, accusation] of Object.entries(this.#memory.accused)) {
      if (told[node] === undefined) {
        this.#parts.conclude(this.#finding(accusation), "resolved");
      }
    }
    this.#memory.accused = told;
  }

  /** Each once, by id. */
  #nodesOf(halves: readonly Half[]): NodeStream[] {
    const ids = new Set(halves.map((half) => half.node.id));
    return [...ids].toSorted().map((id) => this.#parts.nodeOf(id));
  }

  #finding(accusation: Accusation): About {
    const { maxLiars } = this.#memory;
    return accusedFinding({ ...accusation, maxLiars }, this.#parts.nodeOf);
  }

  #tell(
    about: About,
    what: {
      readonly nodes: readonly [NodeStream, NodeStream];
      readonly lacks?: string;
      readonly atMs: number;
      readonly nowMs: number;
      readonly forwarders?: readonly NodeStream[] | undefined;
    },
  ): void {
    const { nodes, lacks, atMs, nowMs, forwarders } = what;
    const [one, other] = nodes;
    for (const node of nodes) {
      node.changed = true;
      noteCompared(node.memory.trend, nowMs, { compared: 0, unexplained: 1 });
    }
    const fold = this.#foldOf(about.kind, nodes, { atMs, forwarders });
    fold.count++;
    fold.firstMs = Math.min(fold.firstMs, atMs);
    fold.lastMs = Math.max(fold.lastMs, atMs);
    if (fold.count > MISMATCHES_TOLD_PER_HOUR) return;
    const id = mismatchOf(about);
    const through = forwarders?.map((node) => node.id);
    const { kind } = about;
    this.#whoLies.add({ id, kind, nodes: [one.id, other.id], lacks, forwarders: through, atMs });
    this.#parts.conclude(about);
  }

  /** What a forwarder says of two nodes is counted apart, or it would use up the number of findings for what they say themselves. */
  #foldOf(
    kind: string,
    [one, other]: readonly [NodeStream, NodeStream],
    {
      atMs,
      forwarders,
    }: { readonly atMs: number; readonly forwarders: readonly NodeStream[] | undefined },
  ): Fold {
    const [low, high] = one.id < other.id ? [one.id, other.id] : [other.id, one.id];
    const through = forwarders === undefined ? "" : ` ${forwarders.map(({ id }) => id).join("+")}`;
    const key = `${kind} ${low} ${high} ${hourOf(atMs)}${through}`;
    return (this.#memory.folds[key] ??= { count: 0, firstMs: atMs, lastMs: atMs, told: 0 });
  }

  /** In the order of their keys, so that what is told does not depend on which came first. */
  #tellFolds(nowMs: number): void {
    const { folds } = this.#memory;
    const oldestHour = hourOf(nowMs) - FOLDS_KEPT_HOURS;
    this.#boundFolds();
    for (const key of Object.keys(folds).sort()) {
      const fold = folds[key];
      if (fold === undefined) continue;
      const [kind = "", low = "", high = "", hour = "0", through] = key.split(" ");
      if (Number(hour) < oldestHour) {
        delete folds[key];
        continue;
      }
      const isDue = fold.count > MISMATCHES_TOLD_PER_HOUR && fold.count >= fold.told * 2;
      if (!isDue || fold.told === fold.count) continue;
      fold.told = fold.count;
      const nodes = [this.#parts.nodeOf(low), this.#parts.nodeOf(high)] as const;
      const ids = through?.split("+").filter((id) => id !== "");
      const forwarders = ids?.map((id) => this.#parts.nodeOf(id));
      const about = manyMismatches(kind, nodes, { hour: Number(hour), fold, forwarders });
      this.#parts.conclude(about, "open", fold.count);
    }
  }

  /** Of too many those of the oldest hours go: what comes of them later is counted from the beginning, and told again. */
  #boundFolds(): void {
    const { folds } = this.#memory;
    const keys = Object.keys(folds);
    if (keys.length <= MISMATCH_FOLDS_MAX) return;
    const hours = keys.map((key): [hour: number, key: string] => [Number(key.split(" ")[3]), key]);
    const oldestFirst = hours.toSorted(([a, aKey], [b, bKey]) => a - b || (aKey < bKey ? -1 : 1));
    for (const [, key] of oldestFirst.slice(0, keys.length - MISMATCH_FOLDS_MAX)) delete folds[key];
  }
}

/** Of two that end together, the lesser id: a server that reads the journal again must choose the same. */
function firstToEnd(excused: MismatchMemory["excused"]): string {
  const [first = ["", 0]] = Object.entries(excused).toSorted(
    ([a, aMs], [b, bMs]) => aMs - bMs || (a < b ? -1 : 1),
  );
  return first[0];
}
