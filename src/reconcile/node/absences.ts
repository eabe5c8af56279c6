/** Times in which a node did not observe, by its own word and clock. */
import type { EntryPlace } from "../half/half-records.ts";
import { keepLast } from "./keep-last.ts";
import { ABSENCE_ENDED_MS, EXCUSES_PER_NODE_MAX } from "../limits.ts";
import type { Absence, NodeMemory } from "./node-memory.ts";

/** Begins an absence. Returns whether it is new: the same one twice is one. */
export function beginAbsence(
  memory: NodeMemory,
  reason: Absence["reason"],
  { fromMs, place }: { readonly fromMs: number; readonly place: EntryPlace },
): boolean {
  const { absences } = memory;
  if (absences.some((one) => one.reason === reason && one.fromMs === fromMs)) return false;
  // An agent that is to opt out stops and starts again: from here on, the opt-out is why it is away.
  if (reason === "opted_out") end(memory, "stopped", fromMs);
  absences.push({ reason, fromMs, toMs: null, place });
  keepLast(absences, EXCUSES_PER_NODE_MAX);
  return true;
}

/** Ends every open absence. */
export function endAbsences(memory: NodeMemory, atMs: number): void {
  for (const reason of ["stopped", "opted_out", "not_started"] as const) end(memory, reason, atMs);
}

/** A node that claims to have seen everything past its own farewell, and did not begin anew, did not leave. Returns whether it had said so. */
export function endClaimedAbsences({ absences }: NodeMemory, completeToMs: number): boolean {
  const claimed = absences.filter(
    ({ reason, fromMs, toMs }) =>
      toMs === null && reason === "stopped" && completeToMs > fromMs + ABSENCE_ENDED_MS,
  );
  for (const absence of claimed) absence.toMs = absence.fromMs;
  return claimed.length > 0;
}

function end({ absences, bootAtMs }: NodeMemory, reason: Absence["reason"], atMs: number): void {
  for (const absence of absences) {
    if (absence.reason !== reason || absence.toMs !== null) continue;
    absence.toMs = atMs;
    absence.toBootAtMs = bootAtMs;
  }
}
