/** One writer per directory. The lock ends with the process however it dies: nothing to remove by hand. */
import { join } from "node:path";
import type { Disk, DiskLock } from "../std/disk.ts";
import { lockHolderPid } from "../std/lock-file.ts";
import { JournalError } from "./journal-error.ts";

/** Throws `journal_in_use` at once when somebody else writes. */
export async function takeWriterLock(disk: Disk, dir: string): Promise<DiskLock> {
  const path = join(dir, "lock");
  const lock = await disk.lock(path);
  if (lock !== undefined) return lock;
  const pid = lockHolderPid(path);
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  throw new JournalError(
    "journal_in_use",
    `${holder} writes to the journal ${dir}; stop it, or use another directory`,
  );
}
