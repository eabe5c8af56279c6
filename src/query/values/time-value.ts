/** Points in time as people write them in a query: each is as long as it is precise. */
import { parseTime } from "../../std/duration.ts";

/** Unix milliseconds; `toMs` is exclusive. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

const PRECISION = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?/;

/**
 * `2026-03-01` is a day, `2026-03-01T08:30` a minute, with seconds a second; UTC unless it says
 * otherwise. A duration (`2h`) is the millisecond so long ago, `now` the present one. `undefined` for
 * anything else.
 */
export function timeSpan(text: string, nowMs: number): TimeSpan | undefined {
  const fromMs = parseTime(text, nowMs);
  return fromMs === undefined ? undefined : { fromMs, toMs: fromMs + lengthMs(text) };
}

function lengthMs(text: string): number {
  const [all = "", seconds, fraction] = PRECISION.exec(text) ?? [];
  if (all === "" || fraction !== undefined) return 1;
  if (seconds !== undefined) return 1_000;
  return all.length > "2026-03-01".length ? 60_000 : 86_400_000;
}
