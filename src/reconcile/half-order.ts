/** An order of halves that does not depend on who came first. */
import type { Half } from "./half-records.ts";

/** By time, and then by name. */
export function inOrder(a: Half, b: Half): number {
  if (a.serverMs !== b.serverMs) return a.serverMs - b.serverMs;
  if (a.nodeNumber !== b.nodeNumber) return a.node.id < b.node.id ? -1 : 1;
  return a.epoch - b.epoch || a.seq - b.seq;
}
