/**
 * The numbers of entries. A number is given once: a block of them is reserved on disk before the
 * first is used, so an agent that died without a word goes on behind everything it may have given.
 *
 *   1. reserve the next block, durably           crash: the block is skipped; the hole is declared
 *   2. give numbers from it, in memory only      crash: same
 *      (the disk refuses: numbers go on in memory, and reserving is tried again; whatever such an
 *      entry's body is, it is on the disk that took it, or at the server, which knows the next number)
 *   3. on a clean stop, write the exact next     crash: as if the stop had not been clean
 */
import { SEQ_BLOCK } from "../limits.ts";
import { readJson, replaceFile, replaceFileSoon } from "../json-file.ts";

/** Numbers that are given without a reservation before one is tried again. */
const RETRY_AFTER = 1024;

/** Numbers that may have been given to entries that nobody has; both inclusive. */
export type SeqRange = readonly [first: number, last: number];

/** Numbers without entries. After a clean end that is not the agent's doing. */
export interface NumberHole {
  readonly seqs: SeqRange;
  readonly clean: boolean;
}

export class Numbering {
  readonly #file: string;
  #next: number;
  #reservedTo: number;
  #reserving: Promise<void> | undefined;
  #closed = false;

  private constructor(file: string, next: number) {
    this.#file = file;
    this.#next = next;
    this.#reservedTo = next;
  }

  /**
   * Goes on where the last run ended. `floor` is one past the last number found in the spool; `hole`
   * is what lies between and is not there.
   */
  static open(file: string, floor: number): { numbering: Numbering; hole?: NumberHole } {
    const saved = parse(readJson(file));
    const next = Math.max(saved?.reservedTo ?? 0, floor);
    const numbering = new Numbering(file, next);
    numbering.#reserve();
    return saved === undefined || next === floor
      ? { numbering }
      : { numbering, hole: { seqs: [floor, next - 1], clean: saved.clean } };
  }

  /** The number that `take` gives next. */
  get next(): number {
    return this.#next;
  }

  take(): number {
    if (this.#next >= this.#reservedTo && !this.#closed) this.#reserveOrGoOn();
    if (this.#reservedTo - this.#next === SEQ_BLOCK / 2) this.#reserving ??= this.#reserveSoon();
    return this.#next++;
  }

  /** A clean stop: nothing is skipped at the next start. */
  async close(): Promise<void> {
    await this.#reserving;
    this.#closed = true;
    replaceFile(this.#file, JSON.stringify({ reservedTo: this.#next, clean: true }));
    this.#reservedTo = this.#next;
  }

  /** Half a block ahead, so that a slow disk holds nobody up: at 6,000 entries a second, every 11 s. */
  async #reserveSoon(): Promise<void> {
    const reservedTo = this.#reservedTo + SEQ_BLOCK;
    try {
      await replaceFileSoon(this.#file, JSON.stringify({ reservedTo, clean: false }));
      this.#reservedTo = Math.max(this.#reservedTo, reservedTo);
    } catch {
      // Tried again, and waited for, when the block is used up.
    }
    this.#reserving = undefined;
  }

  /** Numbering must never wait for a disk, nor end because of one. */
  #reserveOrGoOn(): void {
    try {
      this.#reserve();
    } catch {
      this.#reservedTo = this.#next + RETRY_AFTER;
    }
  }

  /** At the start, and when the disk was too slow to reserve ahead. Writes what `#reserveSoon` would. */
  #reserve(): void {
    const reservedTo = this.#next + SEQ_BLOCK;
    replaceFile(this.#file, JSON.stringify({ reservedTo, clean: false }));
    this.#reservedTo = reservedTo;
  }
}

function parse(value: unknown): { reservedTo: number; clean: boolean } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { reservedTo, clean } = value as { reservedTo?: unknown; clean?: unknown };
  if (!Number.isSafeInteger(reservedTo)) return undefined;
  return { reservedTo: reservedTo as number, clean: clean === true };
}
