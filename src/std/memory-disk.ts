/**
 * A disk for tests, in memory. It keeps what programs see apart from what would survive a power
 * cut, lets each operation fail before or after its effect, and can be cut off at any moment:
 * `powerCut` returns the disk that the machine finds when it comes back.
 */
import { basename, dirname } from "node:path";
import type { Disk, DiskFile, DiskLock, DiskMode } from "./disk.ts";

/** What a test may let fail. */
export type DiskOperation =
  | "create"
  | "append"
  | "overwrite"
  | "truncate"
  | "syncData"
  | "rename"
  | "remove"
  | "mkdir"
  | "syncDirectory";

/** How an operation ends; `partly` differs from `not-persisted` for `append` only. */
export type Fault = "none" | "not-persisted" | "partly" | "persisted";

/** What a power cut leaves of bytes and names that were not synced. */
export type Survival =
  /** Nothing. */
  | "synced"
  /** Bytes: a random beginning. Names: each at random. */
  | "prefix"
  /** Bytes: random pieces in place, zeros between them. Names: each at random. */
  | "torn";

interface Inode {
  content: Buffer;
  durable: Buffer;
  /**
   * Bytes that a failed sync left marked as clean: programs see them, a later sync passes them
   * over, and only writing them again helps (Linux, 2018: "fsyncgate").
   */
  forgotten?: { from: number; to: number } | undefined;
}

/** Small, so that short test files tear in many places. */
const PAGE_BYTES = 64;

export class MemoryDisk implements Disk {
  /** Asked before every operation that changes something. Reads never fail. */
  fault: (operation: DiskOperation, path: string) => Fault = () => "none";
  freeBytesLeft = Number.MAX_SAFE_INTEGER;
  /** What all files may hold together: the rest of an append beyond it fails with `ENOSPC`. */
  capacityBytes = Number.MAX_SAFE_INTEGER;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #directories = new Set<string>();
  #locks = new Set<string>();
  #cut = false;

  async open(path: string, mode: DiskMode): Promise<DiskFile> {
    if (mode === "create") {
      if (this.#names.has(path)) throw diskError("EEXIST", path);
      await this.change("create", path, () => {
        this.#names.set(path, { content: Buffer.alloc(0), durable: Buffer.alloc(0) });
      });
    }
    await this.#step();
    return new MemoryFile(this, path, this.#inode(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.change("rename", to, () => {
      this.#names.set(to, this.#inode(from));
      this.#names.delete(from);
    });
  }

  remove(path: string): Promise<void> {
    return this.change("remove", path, () => {
      this.#names.delete(path);
    });
  }

  async readdir(path: string): Promise<string[]> {
    await this.#step();
    if (!this.#directories.has(path)) throw diskError("ENOENT", path);
    return [...this.#names.keys()]
      .filter((name) => dirname(name) === path)
      .map((name) => basename(name))
      .sort();
  }

  mkdir(path: string): Promise<void> {
    return this.change("mkdir", path, () => {
      this.#directories.add(path);
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.change("syncDirectory", path, () => {
      for (const name of this.#durableNames.keys()) {
        if (dirname(name) === path && !this.#names.has(name)) this.#durableNames.delete(name);
      }
      for (const [name, inode] of this.#names) {
        if (dirname(name) === path) this.#durableNames.set(name, inode);
      }
    });
  }

  async freeBytes(): Promise<number> {
    await this.#step();
    return Math.min(this.freeBytesLeft, this.roomBytes);
  }

  /** For this file's classes only. */
  get roomBytes(): number {
    const inodes = new Set(this.#names.values());
    let usedBytes = 0;
    for (const { content } of inodes) usedBytes += content.length;
    return Math.max(0, this.capacityBytes - usedBytes);
  }

  async lock(path: string): Promise<DiskLock | undefined> {
    await this.#step();
    if (this.#locks.has(path)) return undefined;
    this.#locks.add(path);
    return {
      release: async () => {
        await Promise.resolve();
        this.#locks.delete(path);
      },
    };
  }

  /**
   * The machine stops: every later operation on this disk fails. Returns what it finds at its next
   * start. `random` gives numbers in [0, 1).
   */
  powerCut(survival: Survival, random: () => number): MemoryDisk {
    this.#cut = true;
    const after = new MemoryDisk();
    after.#directories = new Set(this.#directories);
    const left = new Map<Inode, Inode>();
    for (const path of new Set([...this.#durableNames.keys(), ...this.#names.keys()])) {
      const newer = survival !== "synced" && random() < 0.5;
      const inode = (newer ? this.#names : this.#durableNames).get(path);
      if (inode === undefined) continue;
      const content = surviving(inode, survival, random);
      const copy = left.get(inode) ?? { content, durable: content };
      left.set(inode, copy);
      after.#names.set(path, copy);
      after.#durableNames.set(path, copy);
    }
    return after;
  }

  /** The bytes of a file, to look at or to damage: a change shows at once and counts as durable. */
  edit(path: string, change: (content: Buffer) => Buffer): void {
    const inode = this.#inode(path);
    inode.content = change(Buffer.from(inode.content));
    inode.durable = inode.content;
  }

  /** Carries out an operation, or fails it as `fault` says. For this file's classes only. */
  async change(
    operation: DiskOperation,
    path: string,
    effect: () => void,
    part?: () => void,
  ): Promise<void> {
    await this.#step();
    const fault = this.fault(operation, path);
    if (fault === "none" || fault === "persisted") effect();
    if (fault === "partly") part?.();
    if (fault !== "none") throw diskError("EIO", `${operation} ${path}`);
  }

  /** Every operation takes a turn of the event loop, as on a real disk. */
  async #step(): Promise<void> {
    await Promise.resolve();
    if (this.#cut) throw diskError("EIO", "the power is cut");
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw diskError("ENOENT", path);
    return inode;
  }
}

class MemoryFile implements DiskFile {
  readonly #disk: MemoryDisk;
  readonly #path: string;
  readonly #inode: Inode;

  constructor(disk: MemoryDisk, path: string, inode: Inode) {
    this.#disk = disk;
    this.#path = path;
    this.#inode = inode;
  }

  async append(chunks: readonly Uint8Array[]): Promise<void> {
    const given = Buffer.concat(chunks);
    const bytes = given.subarray(0, this.#disk.roomBytes);
    const grow = (count: number) => {
      this.#inode.content = Buffer.concat([this.#inode.content, bytes.subarray(0, count)]);
    };
    const all = () => grow(bytes.length);
    const half = () => grow(bytes.length >> 1);
    await this.#disk.change("append", this.#path, all, half);
    if (bytes.length < given.length) throw diskError("ENOSPC", this.#path);
  }

  overwrite(bytes: Uint8Array, offset: number): Promise<void> {
    const inode = this.#inode;
    return this.#disk.change("overwrite", this.#path, () => {
      inode.content = Buffer.from(inode.content);
      inode.content.set(bytes, offset);
      const { from, to } = inode.forgotten ?? { from: 0, to: 0 };
      if (offset <= from && offset + bytes.length >= to) inode.forgotten = undefined;
    });
  }

  async pread(target: Uint8Array, offset: number): Promise<number> {
    await Promise.resolve();
    return this.#inode.content.copy(target, 0, Math.min(offset, this.#inode.content.length));
  }

  async syncData(): Promise<void> {
    const inode = this.#inode;
    let done = false;
    const effect = () => {
      inode.durable = Buffer.from(inode.content);
      inode.durable.fill(0, inode.forgotten?.from ?? 0, inode.forgotten?.to ?? 0);
      done = true;
    };
    try {
      await this.#disk.change("syncData", this.#path, effect);
    } finally {
      if (!done) inode.forgotten = { from: inode.durable.length, to: inode.content.length };
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#disk.change("truncate", this.#path, () => {
      this.#inode.content = Buffer.from(this.#inode.content.subarray(0, sizeBytes));
      this.#inode.forgotten = undefined;
    });
  }

  async sizeBytes(): Promise<number> {
    await Promise.resolve();
    return this.#inode.content.length;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function surviving({ content, durable }: Inode, survival: Survival, random: () => number): Buffer {
  if (survival === "synced" || content.equals(durable)) return durable;
  if (content.length < durable.length) return random() < 0.5 ? content : durable;
  const keptBytes = Math.floor(random() * (content.length - durable.length + 1));
  const image = Buffer.from(content.subarray(0, durable.length + keptBytes));
  if (survival === "torn") loseSomePages(image, durable.length, random);
  return image;
}

function loseSomePages(image: Buffer, fromOffset: number, random: () => number): void {
  for (let at = fromOffset; at < image.length; at += PAGE_BYTES) {
    if (random() < 0.5) image.fill(0, at, Math.min(at + PAGE_BYTES, image.length));
  }
}

function diskError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
