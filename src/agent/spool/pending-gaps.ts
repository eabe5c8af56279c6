/**
 * Losses that are not declared yet. A bounded spool that drops its oldest would, after a while, drop
 * the declarations of its own earlier drops; so these wait here, merged, until something is about to
 * be sent, and a dropped body gives its gap entries back to this list.
 *
 * On disk, so that a killed agent still declares them.
 */
import type { GapEntry } from "../../format/entry.ts";
import { contentOf, type Body, type Content } from "./body.ts";
import { decodeEntries } from "../../format/payload.ts";
import { readJsonHint, replaceFile } from "../json-file.ts";

/** A gap without the time of its declaration. */
export type Loss = Omit<GapEntry, "kind" | "atMs">;

/** More are merged with their neighbours, whatever lies between them. */
const LOSSES_MAX = 256;

export class PendingGaps {
  readonly #file: string;
  #losses: Loss[] = [];

  constructor(file: string) {
    this.#file = file;
    // Cut short by a power cut, it leaves the numbers of what was lost as a hole, which the server sees.
    const saved = readJsonHint(file);
    if (Array.isArray(saved)) this.#losses = saved as Loss[];
  }

  get isEmpty(): boolean {
    return this.#losses.length === 0;
  }

  add(losses: readonly Loss[]): void {
    for (const loss of losses) this.#merge(loss);
    this.#losses.sort((a, b) => a.fromMs - b.fromMs);
    while (this.#losses.length > LOSSES_MAX) {
      const [first, second, ...rest] = this.#losses;
      if (first === undefined || second === undefined) break;
      this.#losses = [sumOf(first, second), ...rest];
    }
    this.#save();
  }

  /** Hands them over to whoever emits them now. They stay on disk until `taken`. */
  take(): readonly Loss[] {
    const losses = this.#losses;
    this.#losses = [];
    return losses;
  }

  /** What was taken is in the spool. */
  taken(): void {
    this.#save();
  }

  #merge(loss: Loss): void {
    const at = this.#losses.findIndex((other) => isNeighbour(other, loss));
    const other = this.#losses[at];
    if (other === undefined) this.#losses.push(loss);
    else this.#losses[at] = sumOf(other, loss);
  }

  #save(): void {
    try {
      replaceFile(this.#file, JSON.stringify(this.#losses), false);
    } catch {
      // In memory still; lost only if the agent is killed too, and then its numbers are a hole.
    }
  }
}

/** The gap entries of a body: their losses would be lost with it. */
export function lossesIn(body: Body | Content): Loss[] {
  const { raw } = "raw" in body ? body : contentOf(body);
  if (!raw.includes('["gap"')) return [];
  return decodeEntries(raw, { seqFirst: body.seqFirst, entryCount: body.count }).flatMap(
    (entry) => {
      if (entry.kind !== "gap") return [];
      const { kind: _kind, atMs: _atMs, ...loss } = entry;
      return [loss];
    },
  );
}

/** Same cause, and numbers that follow each other without a hole. */
function isNeighbour(a: Loss, b: Loss): boolean {
  if (a.cause !== b.cause || a.count === null || b.count === null) return false;
  if (a.seqs === undefined || b.seqs === undefined) return false;
  return a.seqs[1] + 1 === b.seqs[0] || b.seqs[1] + 1 === a.seqs[0];
}

function sumOf(a: Loss, b: Loss): Loss {
  const seqs =
    a.seqs === undefined || b.seqs === undefined ? (a.seqs ?? b.seqs) : hull(a.seqs, b.seqs);
  return {
    cause: a.cause === b.cause ? a.cause : "spool",
    count: a.count === null || b.count === null ? null : a.count + b.count,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    ...(seqs === undefined ? {} : { seqs }),
  };
}

function hull(
  a: readonly [first: number, last: number],
  b: readonly [first: number, last: number],
): readonly [number, number] {
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}
