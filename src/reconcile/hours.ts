/** What is remembered by the hour: hours have the numbers that they have since 1970. */
export const HOUR_MS = 3_600_000;

export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS);
}
