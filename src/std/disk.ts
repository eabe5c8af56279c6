/**
 * The file system, passed in. Whatever must survive a crash takes a `Disk`, so that tests decide
 * which write fails, how, and what is left after a power cut (memory-disk.ts); node-disk.ts is the
 * real one.
 *
 * What holds for both: nothing is durable before `syncData` (content) or `syncDirectory` (names)
 * returned. When an operation rejects, its effect may be there or not. Missing files reject with
 * an error whose `code` is `ENOENT`. Paths are absolute, or relative to the working directory.
 */
export interface Disk {
  /**
   * `read`: an existing file, for `pread` only. `append`: an existing file, writes go to its end.
   * `create`: like `append`, but the file must not exist (`EEXIST`); the owner alone can read it.
   */
  open(path: string, mode: DiskMode): Promise<DiskFile>;
  /** Replaces `to`; atomic, durable after `syncDirectory` of both directories. */
  rename(from: string, to: string): Promise<void>;
  /** Harmless when there is no such file; durable after `syncDirectory`. */
  remove(path: string): Promise<void>;
  /** Names of the files and directories in `path`, sorted, without `.` and `..`. */
  readdir(path: string): Promise<string[]>;
  /** Creates the directory and its parents for the owner alone; durable on return. Harmless when it exists. */
  mkdir(path: string): Promise<void>;
  /** Makes what was created, renamed and removed in the directory `path` durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that an ordinary user may still write to the file system of `path`. */
  freeBytes(path: string): Promise<number>;
  /**
   * Takes `path` as a lock file that ends with the process, however it dies. Undefined when
   * another holder, in this process or elsewhere, has it.
   */
  lock(path: string): Promise<DiskLock | undefined>;
}

/** `append` needs the file to be there, `create` needs that it is not. */
export type DiskMode = "read" | "append" | "create";

export interface DiskFile {
  /**
   * Writes all the bytes at the end, in order. The caller may reuse them on return. One writer per
   * file, and at most one `append`, `overwrite` or `truncate` at a time; `pread` may run beside them.
   */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes `bytes` over what is at `offset`; they must end within the file. */
  overwrite(bytes: Uint8Array, offset: number): Promise<void>;
  /** Fills `target` from `offset`; resolves with the count of bytes, less than asked only at the end. */
  pread(target: Uint8Array, offset: number): Promise<number>;
  /**
   * Content and size written before the call are durable on return (fdatasync). When it rejects, a
   * later one that succeeds proves nothing for bytes that were not written again in between.
   */
  syncData(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A lock that is held until `release`, or until the process ends. */
export interface DiskLock {
  release(): Promise<void>;
}

/** True for the error of a file or directory that is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** True where the file system, or the user's share of it, has no room: nothing is wrong with it otherwise. */
export function isOutOfSpace(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ENOSPC" || error.code === "EDQUOT";
}
