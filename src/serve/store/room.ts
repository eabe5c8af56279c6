/**
 * Keeps the administrator in on a full disk: 64 MiB are taken while there is plenty, and given back by
 * steps when a change, a sign-in or the audit of a read needs room. Nodes wait long before (journal/limits.ts).
 */
import type { Reserve } from "../../journal/reserve.ts";
import { FREE_BYTES_MIN } from "../../journal/limits.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import type { Disk } from "../../std/disk.ts";

export interface RoomOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  readonly reserve: Reserve;
  /** What must be free besides, also when the reserve is whole. Default FREE_BYTES_MIN. */
  readonly freeBytesMin?: number;
}

/** What SQLite's log, a query's answer and a few hundred entries of the journal need. */
const WORK_BYTES = 4 * 1024 * 1024;
/** A step is taken so often: 64 MiB in eight seconds, beside everything else. */
const TAKE_EVERY_MS = 1_000;
/** Until the next look, where the reserve is whole or the disk too full. */
const LOOK_EVERY_MS = 10_000;

export class Room {
  readonly #options: RoomOptions;
  #timer: Timer | undefined;
  #taking: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get heldBytes(): number {
    return this.#options.reserve.heldBytes;
  }

  /** Before something is written that must be: gives back as much as it takes. Never throws: it is tried all the same. */
  async make(): Promise<void> {
    const { reserve } = this.#options;
    try {
      while ((await this.#freeBytes()) < WORK_BYTES && (await reserve.giveBack()));
    } catch {
      // The write itself will tell what is wrong with the disk.
    }
  }

  /** Takes what is missing of the reserve, from now on and until `close`. */
  start(): void {
    this.#timer = this.#options.clock.after(TAKE_EVERY_MS, () => {
      this.#taking = this.#takeAndWait();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#taking;
    await this.#options.reserve.close();
  }

  async #takeAndWait(): Promise<void> {
    const hasTaken = await this.#take().catch(() => false);
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(hasTaken ? TAKE_EVERY_MS : LOOK_EVERY_MS, () => {
      this.#taking = this.#takeAndWait();
    });
  }

  async #take(): Promise<boolean> {
    const { reserve, freeBytesMin = FREE_BYTES_MIN } = this.#options;
    if (reserve.isWhole) return false;
    if ((await this.#freeBytes()) < freeBytesMin + reserve.stepBytes) return false;
    return reserve.take();
  }

  #freeBytes(): Promise<number> {
    return this.#options.disk.freeBytes(this.#options.dir);
  }
}
