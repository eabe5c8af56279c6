/**
 * Room on a disk that is taken before anybody else takes it: a file that holds nothing, really written,
 * because a hole takes no room. It is given back by steps when something must be written
 * and there is no room, and taken again when there is.
 */
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { isMissing, isOutOfSpace, type Disk, type DiskFile } from "../std/disk.ts";
import { RESERVE_BYTES, RESERVE_STEP_BYTES } from "./limits.ts";

export interface ReserveOptions {
  readonly disk: Disk;
  /** Its directory exists. */
  readonly path: string;
  /** Default RESERVE_BYTES. */
  readonly bytesMax?: number;
  /** Default RESERVE_STEP_BYTES. */
  readonly stepBytes?: number;
}

export class Reserve {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytesMax: number;
  readonly stepBytes: number;
  /** Undefined until there was room for the first step. */
  #file: DiskFile | undefined;
  #heldBytes: number;
  /** Steps take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: ReserveOptions, file: DiskFile | undefined, heldBytes: number) {
    this.#disk = options.disk;
    this.#path = options.path;
    this.#bytesMax = options.bytesMax ?? RESERVE_BYTES;
    this.stepBytes = options.stepBytes ?? RESERVE_STEP_BYTES;
    this.#file = file;
    this.#heldBytes = heldBytes;
  }

  /** With what the last process left of it. */
  static async open(options: ReserveOptions): Promise<Reserve> {
    try {
      const file = await options.disk.open(options.path, "append");
      return new Reserve(options, file, await file.sizeBytes());
    } catch (error) {
      if (isMissing(error)) return new Reserve(options, undefined, 0);
      throw error;
    }
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What it will take yet: nobody else's, as soon as it is there. */
  get missingBytes(): number {
    return this.#bytesMax - this.#heldBytes;
  }

  get isWhole(): boolean {
    return this.#heldBytes >= this.#bytesMax;
  }

  /** Frees a step. False when nothing is left. */
  giveBack(): Promise<boolean> {
    return this.#inTurn(async () => {
      const file = this.#file;
      if (file === undefined || this.#heldBytes === 0) return false;
      this.#heldBytes = Math.max(0, this.#heldBytes - this.stepBytes);
      await file.truncate(this.#heldBytes);
      await file.syncData();
      return true;
    });
  }

  /** Takes a step. False when it is whole, or there was no room for it after all. */
  take(): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.isWhole) return false;
      const stepBytes = Math.min(this.stepBytes, this.#bytesMax - this.#heldBytes);
      try {
        this.#file ??= await this.#create();
        // Random: a file system that compresses would keep nothing of zeros.
        await this.#file.append([randomBytes(stepBytes)]);
        await this.#file.syncData();
      } catch (error) {
        if (!isOutOfSpace(error)) throw error;
        await this.#file?.truncate(this.#heldBytes);
        return false;
      }
      this.#heldBytes += stepBytes;
      return true;
    });
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    await this.#file?.close();
  }

  async #create(): Promise<DiskFile> {
    const file = await this.#disk.open(this.#path, "create");
    await this.#disk.syncDirectory(dirname(this.#path));
    return file;
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const taken = this.#turn.then(step);
    this.#turn = taken.catch(() => undefined);
    return taken;
  }
}
