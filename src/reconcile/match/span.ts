/** The time that halves of one tuple take up, to ask what else of it is near them. */
import type { Half } from "../half/half-records.ts";
import { livedToMs } from "./match-cost.ts";

/** From when to when halves of one node began, and the last of them ended. */
interface Span {
  readonly half: Half;
  fromMs: number;
  toMs: number;
  endMs: number;
  hasPickup: boolean;
}

/** By node: all times of one are off by as much. */
export function spansOf(halves: readonly Half[]): Span[] {
  const spans = new Map<number, Span>();
  for (const half of halves) {
    const { serverMs: fromMs, pickup: hasPickup } = half;
    const endMs = livedToMs(half);
    const span = spans.get(half.nodeNumber);
    if (span === undefined) {
      spans.set(half.nodeNumber, { half: half.copy(), fromMs, toMs: fromMs, endMs, hasPickup });
      continue;
    }
    span.fromMs = Math.min(span.fromMs, fromMs);
    span.toMs = Math.max(span.toMs, fromMs);
    span.endMs = Math.max(span.endMs, endMs);
    span.hasPickup ||= hasPickup;
  }
  return [...spans.values()];
}

/** As `apartMs`, from the nearest of a span. */
export function spanApartMs(span: Span, half: Half): number {
  const isLived = span.hasPickup || half.pickup;
  const [toMs, endMs] = isLived ? [span.endMs, livedToMs(half)] : [span.toMs, half.serverMs];
  return Math.max(0, half.serverMs - toMs, span.fromMs - endMs);
}
