/** What the agent says of itself in STATE/status.json, for `tallystick-agent status` and for its own next start. */
import { readJsonHint, replaceFile } from "./json-file.ts";
import type { StatePaths } from "./state-directory.ts";

/** Times are Unix ms, 0 for never. */
export interface AgentStatus {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly name: string;
  readonly server: string;
  /** `observing`, `opted-out`, `revoked` while the server refuses the key, or `stopped` after a stop by signal. */
  readonly state: "observing" | "opted-out" | "revoked" | "stopped";
  readonly uplink: "recovering" | "sending" | "waiting" | "halted" | "none";
  readonly epoch: number;
  /** Batches sealed in this epoch. */
  readonly batches: number;
  readonly nextSeq: number;
  readonly spoolBytes: number;
  readonly unsentEntries: number;
  readonly oldestUnsentMs: number;
  readonly lastReceiptMs: number;
  /** Entries of this run that were given up, all declared by gaps. */
  readonly droppedEntries: number;
  /** Gaps that this run declared. */
  readonly gaps: number;
  /** Which kernel events are read: `all`, `ends` or `none`. */
  readonly events: string;
  readonly liveHalves: number;
  readonly completeToMs: number;
  readonly lastError: string;
  readonly startedMs: number;
  readonly updatedMs: number;
}

/** The last status that was written; undefined when none was. */
export function readStatus(paths: StatePaths): AgentStatus | undefined {
  return readJsonHint(paths.status) as AgentStatus | undefined;
}

/** Not durable: it is about the present. A disk that refuses it must not stop the agent. */
export function writeStatus(paths: StatePaths, status: AgentStatus): void {
  try {
    replaceFile(paths.status, `${JSON.stringify(status)}\n`, false);
  } catch {
    // Seen by the age of the file.
  }
}

/** True while the process that wrote it is there. */
export function isRunning({ pid, state }: AgentStatus): boolean {
  if (state === "stopped") return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
