/** Stretches of a node's chain that the file has without a hole, and how far back and on they reach. */
import type { Piece } from "./piece.ts";

/** Pieces of which each names the one before by its hash; at least one. */
export type Run = readonly Piece[];

/** The pieces of one node, in their order, cut where one does not name the one before it. */
export function runsOf(chain: readonly Piece[]): Run[] {
  const runs: Piece[][] = [];
  for (const piece of chain) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && follows(piece, before)) run.push(piece);
    else runs.push([piece]);
  }
  return runs;
}

/** By the hash alone: numbers are for `contradictions`. */
export function follows(piece: Piece, before: Piece): boolean {
  return Buffer.from(piece.header.prevHash).toString("hex") === before.hash;
}

/** Pieces that cannot both be in one honest chain, as sentences. */
export function contradictions(chain: readonly Piece[]): string[] {
  return chain.flatMap((piece, index) => {
    const before = chain[index - 1];
    if (before === undefined) return [];
    const what = contradiction(piece, before);
    return what === undefined ? [] : [what];
  });
}

function contradiction(piece: Piece, before: Piece): string | undefined {
  const { epoch, batchNo, seqFirst } = piece.header;
  const is = `batch ${batchNo} of epoch ${epoch}`;
  if (epoch === before.header.epoch) {
    if (batchNo === before.header.batchNo) return `${is} is there twice`;
    if (batchNo === before.header.batchNo + 1 && !follows(piece, before)) {
      return `${is} does not name the batch before it`;
    }
    const nextSeq = before.header.seqFirst + before.header.entryCount;
    if (seqFirst < nextSeq) return `${is} uses numbers again, from ${seqFirst} on`;
  }
  const isJoined = follows(piece, before);
  const fits =
    epoch === before.header.epoch
      ? batchNo === before.header.batchNo + 1
      : epoch === before.header.epoch + 1 && batchNo === 0;
  return isJoined && !fits ? `${is} names a batch before it that has another number` : undefined;
}

/** Numbers that lie between two neighbours of a chain, and are in neither. */
export interface SkippedNumbers {
  readonly epoch: number;
  /** Both inclusive. */
  readonly first: number;
  readonly last: number;
}

/** What a node numbered and never sent, as far as neighbours in the file show it. */
export function skippedNumbers(chain: readonly Piece[]): SkippedNumbers[] {
  return chain.flatMap(({ header }, index) => {
    const before = chain[index - 1]?.header;
    const isNext = before?.epoch === header.epoch && before.batchNo + 1 === header.batchNo;
    if (before === undefined || !isNext) return [];
    const first = before.seqFirst + before.entryCount;
    const last = header.seqFirst - 1;
    return last < first ? [] : [{ epoch: header.epoch, first, last }];
  });
}

/** A stretch of whole batches: every entry that its node recorded between the two times is in it. */
export interface Coverage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly batches: number;
}

/**
 * What whole batches cover around a time, by the node's own clock. It begins where the batch before
 * was closed, or with the node's first batch, and ends where the node claims completeness.
 */
export function coverageAround(chain: readonly Piece[], atMs: number): Coverage | undefined {
  for (const run of runsOf(chain)) {
    for (const [start, pieces] of wholeStretches(run)) {
      const before = run[start - 1];
      const first = pieces[0];
      const isFirstEver = first?.header.epoch === 0 && first.header.batchNo === 0;
      const fromMs =
        before === undefined ? (isFirstEver ? 0 : undefined) : before.header.closedAtMs;
      const toMs = Math.max(...pieces.map(({ header }) => header.completeToMs));
      if (fromMs === undefined || fromMs > atMs || toMs <= atMs) continue;
      return { fromMs, toMs, batches: pieces.length };
    }
  }
  return undefined;
}

/** Whole batches next to each other, from `first` on. */
export function wholeFrom(chain: readonly Piece[], first: Piece): Piece[] {
  const run = runsOf(chain).find((one) => one.includes(first)) ?? [];
  const rest = run.slice(run.indexOf(first));
  const end = rest.findIndex(({ kind }) => kind !== "batch");
  return end < 0 ? [...rest] : rest.slice(0, end);
}

/** Whole batches next to each other, with the place of the first in the run. */
function wholeStretches(run: Run): [start: number, pieces: Piece[]][] {
  const stretches: [number, Piece[]][] = [];
  for (const [index, piece] of run.entries()) {
    if (piece.kind !== "batch") continue;
    const isNext = run[index - 1]?.kind === "batch";
    const stretch = stretches.at(-1);
    if (isNext && stretch !== undefined) stretch[1].push(piece);
    else stretches.push([index, [piece]]);
  }
  return stretches;
}
