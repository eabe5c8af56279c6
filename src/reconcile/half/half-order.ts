/** An order of halves that does not depend on who came first. */
import type { Half } from "./half-records.ts";

/** By time, and then by name. */
export function inOrder(a: Half, b: Half): number {
  if (a.serverMs !== b.serverMs) return a.serverMs - b.serverMs;
  if (a.nodeNumber !== b.nodeNumber) return a.node.id < b.node.id ? -1 : 1;
  return a.epoch - b.epoch || a.seq - b.seq;
}

/** Of what stands behind a half in a list. */
export function byHalf(
  [a]: readonly [Half, ...unknown[]],
  [b]: readonly [Half, ...unknown[]],
): number {
  return inOrder(a, b);
}

/** Of what stands behind two. */
export function byBoth(
  a: readonly [Half, Half, unknown],
  b: readonly [Half, Half, unknown],
): number {
  return inOrder(a[0], b[0]) || inOrder(a[1], b[1]);
}
