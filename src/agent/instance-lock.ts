/** One agent per state directory; the lock ends with the process, however that dies. */
import type { DiskLock } from "../std/disk.ts";
import { lockFile, lockHolderPid } from "../std/lock-file.ts";
import { AgentError } from "./agent-error.ts";
import type { StatePaths } from "./state-directory.ts";

/** Throws `state_in_use` at once when another process holds it. */
export function takeInstanceLock(paths: StatePaths): DiskLock {
  const lock = lockFile(paths.lock);
  if (lock !== undefined) return lock;
  const pid = lockHolderPid(paths.lock);
  throw new AgentError(
    "state_in_use",
    `another agent${pid === undefined ? "" : ` (process ${pid})`} runs on ${paths.root}, stop it, or give this one its own --state`,
  );
}
