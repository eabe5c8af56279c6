/**
 * The host's own work goes before the agent's: under more load than the machine has processors for,
 * the agent falls behind, and says so in gaps, instead of slowing what it watches.
 *
 * A service is a session of its own, and where sessions share the processors among each other
 * (sched(7), autogroup) the niceness of a process counts only inside its session. So a session's
 * leader sets the session's niceness; any other process sets its own.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** A third of the weight of others. Ten would starve the reader of 2,000 connections a second on a full machine. */
const NICE = 5;
const AUTOGROUP = "/proc/self/autogroup";

/** What was set, for the `start` entry: `autogroup 5`, `nice 5`, or nothing where it is not allowed or was set before. */
export function yieldToHost(): string | undefined {
  try {
    if (isSessionLeader() && setAutogroup()) return `autogroup ${NICE}`;
    if (getPriority() !== 0) return undefined;
    setPriority(NICE);
    return `nice ${NICE}`;
  } catch {
    return undefined;
  }
}

/** Field 6 of proc_pid_stat(5), counted after the program's name, which may hold anything. */
function isSessionLeader(): boolean {
  const text = readText("/proc/self/stat");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[3]) === process.pid;
}

/** True where the session's niceness counts, whoever has set it. */
function setAutogroup(): boolean {
  const current = / nice (-?\d+)/.exec(readText(AUTOGROUP))?.[1];
  if (current === undefined) return false;
  if (current === "0") writeFileSync(AUTOGROUP, String(NICE));
  return true;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
