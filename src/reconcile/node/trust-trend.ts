/**
 * How a node's records fared in the last 24 hours: of the connections that were compared with its
 * peers', how many contradicted them without an excuse. Plain counters by hour of the server's
 * time, so that the order of what came does not matter. It accuses nobody: a liar's victims have a bad share
 * too, though not of their connections with others.
 */
import { hourOf } from "../hours.ts";

/** Plain JSON, in the node's memory. */
export interface TrustTrend {
  /** At most 24, by rising hour; hours without connections are not there. */
  hours: TrustHour[];
}

interface TrustHour {
  /** Hours since 1970. */
  readonly hour: number;
  compared: number;
  unexplained: number;
}

const TREND_HOURS = 24;

export function emptyTrend(): TrustTrend {
  return { hours: [] };
}

/** Connections were decided at `nowMs`, of which some contradict and nothing excuses it. */
export function noteCompared(
  trend: TrustTrend,
  nowMs: number,
  { compared, unexplained }: { readonly compared: number; readonly unexplained: number },
): void {
  const hour = hourOf(nowMs);
  const newestCounts = trend.hours.at(-1);
  if (newestCounts?.hour === hour) {
    newestCounts.compared += compared;
    newestCounts.unexplained += unexplained;
    return;
  }
  let at = trend.hours.findIndex((one) => one.hour >= hour);
  if (at === -1) at = trend.hours.length;
  if (trend.hours[at]?.hour !== hour) {
    trend.hours.splice(at, 0, { hour, compared: 0, unexplained: 0 });
    const newest = trend.hours.at(-1)?.hour ?? hour;
    trend.hours = trend.hours.filter((one) => one.hour > newest - TREND_HOURS);
    at = trend.hours.findIndex((one) => one.hour === hour);
  }
  const counts = trend.hours[at];
  if (counts === undefined) return;
  counts.compared += compared;
  counts.unexplained += unexplained;
}

/** A contradiction about a connection of `atMs` was explained or excused after all: it was counted then or, mostly, soon after. */
export function noteExplained(trend: TrustTrend, atMs: number): void {
  const hour = hourOf(atMs);
  const counts = trend.hours.find((one) => one.hour >= hour && one.unexplained > 0);
  if (counts !== undefined) counts.unexplained--;
}
