/** Whether the file system has room. Asks rarely: a group's own cost must not grow by it. */
import type { Clock } from "../std/clock.ts";
import type { Disk } from "../std/disk.ts";
import { FREE_CHECK_BYTES, FREE_CHECK_BYTES_MIN, FREE_CHECK_MS } from "./limits.ts";

export interface FreeSpaceOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  /** Less than this is not enough. */
  readonly freeBytesMin: number;
  /** Besides, what others will need for what is written already. */
  readonly neededBytes?: () => number;
}

export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  #bytesUntilCheck = 0;
  #checkedAtMs = -Infinity;
  #enough = true;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
  }

  /** As of the last check. Ask `check` again while it is false. */
  get enough(): boolean {
    return this.#enough;
  }

  /** A write found that there is none, whatever was last asked. */
  ranOut(): void {
    this.#enough = false;
    this.#checkedAtMs = this.#options.clock.monotonicMs();
  }

  /** Before `bytes` are written, or instead of writing while there is no room. */
  async check(bytes: number): Promise<void> {
    this.#bytesUntilCheck -= bytes;
    if (this.#enough ? this.#bytesUntilCheck > 0 : this.#sinceCheckMs() < FREE_CHECK_MS) return;
    const { disk, dir, clock, freeBytesMin, neededBytes } = this.#options;
    this.#checkedAtMs = clock.monotonicMs();
    const spareBytes = (await disk.freeBytes(dir)) - freeBytesMin - (neededBytes?.() ?? 0);
    this.#enough = spareBytes >= 0;
    // The nearer it is the more often.
    const soonBytes = Math.max(FREE_CHECK_BYTES_MIN, spareBytes / 16);
    this.#bytesUntilCheck = Math.min(FREE_CHECK_BYTES, soonBytes);
  }

  #sinceCheckMs(): number {
    return this.#options.clock.monotonicMs() - this.#checkedAtMs;
  }
}
