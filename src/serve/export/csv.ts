/**
 * Rows as CSV by RFC 4180. Spreadsheets run what looks like a formula, and names in a log are other
 * people's: a cell that begins like one gets a quotation mark in front, which they show as text.
 */

const FORMULA = /^[=+\-@\t\r]/;

/** One record with its line end. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = textOf(value);
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
