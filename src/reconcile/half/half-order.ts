/** An order of halves that does not depend on which came first. */
import type { Half } from "./half-records.ts";

/** By time, and then by name. */
export function inOrder(a: Half, b: Half): number {
  if (a.serverMs !== b.serverMs) return a.serverMs - b.serverMs;
  if (a.nodeNumber !== b.nodeNumber) return a.node.id < b.node.id ? -1 : 1;
  return a.epoch - b.epoch || a.seq - b.seq;
}

/** Orders tuples by their first half. */
export function byHalf(
  [a]: readonly [Half, ...unknown[]],
  [b]: readonly [Half, ...unknown[]],
): number {
  return inOrder(a, b);
}

/** Orders tuples by their first two halves. */
export function byBoth(
  a: readonly [Half, Half, unknown],
  b: readonly [Half, Half, unknown],
): number {
  return inOrder(a[0], b[0]) || inOrder(a[1], b[1]);
}
