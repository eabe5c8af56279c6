/** At each tick: what excused at will until now, beyond what an honest node needs, excuses no more. */
import type { Abuse } from "../node/excuse/excuse-budget.ts";
import { type About, gapAbuseFinding } from "./findings.ts";
import type { NodeStream } from "../node/node-stream.ts";

interface BudgetReview {
  readonly nodeOf: (id: string) => NodeStream;
  readonly conclude: (about: About, state?: "open" | "resolved") => void;
}

export function reviewBudgets(
  streams: Iterable<NodeStream>,
  nowMs: number,
  { nodeOf, conclude }: BudgetReview,
): void {
  for (const stream of streams) {
    const before = stream.budget.verdicts();
    if (stream.budget.isStirred) stream.changed = true;
    stream.budget.settle(nowMs);
    const after = stream.budget.verdicts();
    if (before.length + after.length > 0) stream.changed = true;
    for (const abuse of after) conclude(gapAbuseFinding(stream, abuse, nodeOf));
    for (const abuse of before) {
      if (after.some((one) => isSameAbuse(one, abuse))) continue;
      conclude(gapAbuseFinding(stream, abuse, nodeOf), "resolved");
    }
  }
}

function isSameAbuse(one: Abuse, other: Abuse): boolean {
  if (one.sinceMs !== other.sinceMs || one.kind !== other.kind) return false;
  return one.kind === "budget" || (other.kind === "concentration" && one.peer === other.peer);
}
