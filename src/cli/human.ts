/** Values as people read them. */
import type { Cell } from "../std/table.ts";
import { formatDuration } from "../std/duration.ts";

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1.5 MiB`: three digits at most. */
export function humanBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** A half's bytes: nothing while nobody has counted, which is not zero. */
export function countedBytes(count: number, counters: string): string {
  return count === 0 && counters !== "final" ? "" : humanBytes(count);
}

/** UTC to the second; nothing for null. */
export function humanTime(iso: string | null): string {
  return iso === null ? "" : `${iso.slice(0, 19).replace("T", " ")}Z`;
}

/** The two largest units: `3h12m`, `4s`. */
export function humanSpan(spanMs: number | null): string {
  if (spanMs === null) return "";
  if (spanMs < 999.5) return `${Math.max(0, Math.round(spanMs))}ms`;
  const seconds = Math.round(spanMs / 1_000) * 1_000;
  return (
    formatDuration(seconds)
      .match(/\d+[a-z]+/g)
      ?.slice(0, 2)
      .join("") ?? ""
  );
}

/** `97.3 %`; what is not all is never shown as 100 %. */
export function humanShare(share: number | null): string {
  if (share === null) return "none yet";
  return `${(share === 1 ? 100 : Math.min(99.9, Math.floor(share * 1_000) / 10)).toString()} %`;
}

const VERDICT_COLOURS = {
  matched: "green",
  differs: "red",
  missing: "red",
  pending: "dim",
  excused: "yellow",
  unanswered: "dim",
  external: "dim",
} as const;

export function verdictCell(verdict: string, excuse = ""): Cell {
  const text = excuse === "" ? verdict : `${verdict}: ${excuse}`;
  const colour = VERDICT_COLOURS[verdict as keyof typeof VERDICT_COLOURS];
  return colour === undefined ? text : { text, colour };
}

const STATE_COLOURS = {
  active: "green",
  enrolled: "cyan",
  silent: "red",
  stopped: "yellow",
  opted_out: "yellow",
  revoked: "dim",
  unknown: "dim",
} as const;

export function stateCell(state: string): Cell {
  const text = state.replace("_", " ");
  const colour = STATE_COLOURS[state as keyof typeof STATE_COLOURS];
  return colour === undefined ? text : { text, colour };
}

const SEVERITY_COLOURS = { low: "dim", medium: "yellow", high: "red", critical: "red" } as const;

export function severityCell(severity: string): Cell {
  const colour = SEVERITY_COLOURS[severity as keyof typeof SEVERITY_COLOURS];
  return colour === undefined ? severity : { text: severity, colour };
}
