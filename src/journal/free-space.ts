/** Whether the file system has room. Asks rarely: a group's own cost must not grow by it. */
import type { Clock } from "../std/clock.ts";
import type { Disk } from "../std/disk.ts";
import { FREE_CHECK_BYTES, FREE_CHECK_MS } from "./limits.ts";

export interface FreeSpaceOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  /** Less than this is not enough. */
  readonly freeBytesMin: number;
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

  /** Before `bytes` are written, or instead of writing while there is no room. */
  async check(bytes: number): Promise<void> {
    this.#bytesUntilCheck -= bytes;
    if (this.#enough ? this.#bytesUntilCheck > 0 : this.#sinceCheckMs() < FREE_CHECK_MS) return;
    const { disk, dir, clock, freeBytesMin } = this.#options;
    this.#checkedAtMs = clock.monotonicMs();
    this.#bytesUntilCheck = FREE_CHECK_BYTES;
    this.#enough = (await disk.freeBytes(dir)) >= freeBytesMin;
  }

  #sinceCheckMs(): number {
    return this.#options.clock.monotonicMs() - this.#checkedAtMs;
  }
}
