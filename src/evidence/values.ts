/** Values as the readable part writes them: nothing rounded, nothing hidden. */

/** `2026-03-01 08:30:00.125Z`; outside of what a date can be, the number itself. */
export function timeText(atMs: number): string {
  if (!Number.isSafeInteger(atMs) || Math.abs(atMs) > 8.64e15) return String(atMs);
  return new Date(atMs).toISOString().replace("T", " ");
}

/** `1 batch`, `2 batches` */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `1234567 B` */
export function bytesText(count: number): string {
  return `${count} B`;
}

/** `20 ms`, `3600.5 s` */
export function spanText(spanMs: number): string {
  return Math.abs(spanMs) < 1_000 ? `${spanMs} ms` : `${spanMs / 1_000} s`;
}

/** `+3`, `−3`, `0` */
export function signed(difference: number): string {
  return difference > 0 ? `+${difference}` : String(difference);
}
