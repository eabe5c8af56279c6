/** What a node lost by its own word, and when it was overloaded: all by its own clock. */
import { keepLast } from "./keep-last.ts";
import { EXCUSES_PER_NODE_MAX } from "../limits.ts";
import type { GapBudget, NodeMemory } from "./node-memory.ts";

/** Remembers a gap. Returns whether it is new. */
export function admitGap({ gaps }: NodeMemory, gap: GapBudget): boolean {
  if (gaps.some((one) => one.index === gap.index && one.seq === gap.seq)) return false;
  gaps.push(gap);
  keepLast(gaps, EXCUSES_PER_NODE_MAX);
  return true;
}

/** Uses up one lost entry of a gap around `atMs`, if there is one. */
export function spendGap(
  { gaps }: NodeMemory,
  atMs: number,
  slackMs: number,
): GapBudget | undefined {
  const gap = gaps.find(
    (one) => one.remaining > 0 && one.fromMs - slackMs <= atMs && atMs <= one.toMs + slackMs,
  );
  if (gap !== undefined) gap.remaining--;
  return gap;
}

/** Whether it admitted that it lost anything of this time. */
export function hasLost({ gaps }: NodeMemory, fromMs: number, toMs: number): boolean {
  return gaps.some((one) => one.fromMs <= toMs && one.toMs >= fromMs);
}

/** Whether it declared that its kernel did not track for a part of this time. */
export function wasBlind({ absences, gaps }: NodeMemory, fromMs: number, toMs: number): boolean {
  return (
    absences.some((one) => one.fromMs <= toMs && (one.toMs === null || one.toMs >= fromMs)) ||
    gaps.some((one) => one.cause === "pressure" && one.fromMs <= toMs && one.toMs >= fromMs)
  );
}

/** `isDegraded`: whether it leaves out kernel events from now on. */
export function noteDegraded({ overloads }: NodeMemory, isDegraded: boolean, atMs: number): void {
  const last = overloads.at(-1);
  if (!isDegraded) {
    if (last !== undefined) last.toMs ??= atMs;
    return;
  }
  if (last !== undefined && (last.toMs === null || last.fromMs >= atMs)) return;
  overloads.push({ fromMs: atMs, toMs: null });
  keepLast(overloads, EXCUSES_PER_NODE_MAX);
}

/** Whether it had declared an overload then. */
export function isOverloadedAt({ overloads, gaps }: NodeMemory, atMs: number): boolean {
  return (
    overloads.some((one) => one.fromMs <= atMs && (one.toMs === null || atMs <= one.toMs)) ||
    gaps.some((one) => one.cause === "pressure" && one.fromMs <= atMs && atMs <= one.toMs)
  );
}
