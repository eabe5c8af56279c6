/** The machine's own disk, over node:fs. Files are 0600, directories 0700. */
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Disk, DiskFile, DiskMode } from "./disk.ts";
import { lockFile } from "./lock-file.ts";

const OPEN_FLAGS: Record<DiskMode, number> = {
  read: constants.O_RDONLY,
  append: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

export function nodeDisk(): Disk {
  return {
    open: async (path, mode) => NodeFile.open(await open(path, OPEN_FLAGS[mode], 0o600)),
    rename,
    remove: (path) => rm(path, { force: true }),
    readdir: async (path) => (await readdir(path)).sort(),
    mkdir: makeDirectory,
    syncDirectory,
    freeBytes: async (path) => {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    lock: async (path) => lockFile(path),
  };
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
}

/**
 * A new directory is durable when its parent is synced, and so on up to the first that was there.
 * One by one: Node's `recursive` never ends below a directory that takes none, such as /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  const target = resolve(path);
  if (await isDirectory(target)) return;
  const parent = dirname(target);
  await makeDirectory(parent);
  try {
    await mkdir(target, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!(await isDirectory(target))) throw error;
  }
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;
  #endOffset: number;

  private constructor(handle: FileHandle, endOffset: number) {
    this.#handle = handle;
    this.#endOffset = endOffset;
  }

  static async open(handle: FileHandle): Promise<NodeFile> {
    return new NodeFile(handle, (await handle.stat()).size);
  }

  async append(chunks: readonly Uint8Array[]): Promise<void> {
    this.#endOffset = await this.#write(chunks, this.#endOffset);
  }

  async overwrite(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#write([bytes], offset);
  }

  async #write(chunks: readonly Uint8Array[], offset: number): Promise<number> {
    let at = offset;
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, at);
      at += bytesWritten;
      rest = dropBytes(rest, bytesWritten);
    }
    return at;
  }

  async pread(target: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const wanted = target.length - filled;
      const { bytesRead } = await this.#handle.read(target, filled, wanted, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  syncData(): Promise<void> {
    return this.#handle.datasync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
    this.#endOffset = sizeBytes;
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** What is left to write: the kernel may take fewer bytes than it was given. */
export function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let first = 0;
  for (; first < chunks.length; first++) {
    const length = chunks[first]?.length ?? 0;
    if (length > left) break;
    left -= length;
  }
  const rest = chunks.slice(first);
  if (rest[0] !== undefined && left > 0) rest[0] = rest[0].subarray(left);
  return rest;
}
