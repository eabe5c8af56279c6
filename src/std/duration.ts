/**
 * Durations and points in time as people type them: `24h`, `1h30m`, `--since 7d`, `--since 2026-03-01`.
 * Parsers return `undefined` for anything else; the caller knows which option it was and says so.
 */

const unitsMs = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
} as const;

const durationPattern = /^(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+$/;
const partPattern = /(\d+(?:\.\d+)?)(ms|[wdhms])/g;
const timePattern =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Milliseconds, an integer. Takes `500ms`, `30s`, `15m`, `24h`, `7d`, `2w` and sums of them such as `1h30m`. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let sumMs = 0;
  for (const [, amount, unit] of text.matchAll(partPattern)) {
    sumMs += Number(amount) * unitsMs[unit as keyof typeof unitsMs];
  }
  const roundedMs = Math.round(sumMs);
  return Number.isSafeInteger(roundedMs) ? roundedMs : undefined;
}

/** The shortest exact text of whole milliseconds that `parseDuration` reads back: `90_000` is `1m30s`. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.round(durationMs);
  let text = "";
  for (const [unit, unitMs] of Object.entries(unitsMs)) {
    // Weeks read badly in an age ("1w3d"); days are what people count in.
    if (unit === "w") continue;
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text === "" ? "0s" : text;
}

/**
 * Unix milliseconds. Takes `now`, a duration (that long before `nowMs`) and ISO 8601 dates and
 * times. Without a zone the time is UTC, as everything that the server prints; a date alone is its midnight.
 */
export function parseTime(text: string, nowMs: number): number | undefined {
  if (text === "now") return nowMs;
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const [, date, time = "00:00", zone = "Z"] = timePattern.exec(text) ?? [];
  if (date === undefined || !isCalendarDate(date)) return undefined;
  const atMs = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** Date.parse reads 30 February as 2 March; a query over the wrong day is worse than an error. */
function isCalendarDate(date: string): boolean {
  const atMs = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(date);
}
