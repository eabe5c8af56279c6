/** All audit entries that fit, as text, a page of the store at a time: a slow reader holds one page. */
import type { Row } from "../query/store-reader.ts";
import { AUDIT_ITEM_NAMES } from "../query/audit-list.ts";
import { csvLine } from "./csv.ts";

/** One page of items and the cursor of the next. */
export interface ExportPage {
  readonly items: readonly Row[];
  readonly next?: string;
}

export type ExportFormat = "csv" | "ndjson";

/** Entries of one page: some hundred bytes each, a few KB where much changed. */
export const EXPORT_PAGE_ITEMS = 1_000;

export const EXPORT_MEDIA = {
  csv: "text/csv; charset=utf-8; header=present",
  ndjson: "application/x-ndjson; charset=utf-8",
} as const satisfies Readonly<Record<ExportFormat, string>>;

/** `first` is asked for already, so that a wrong filter is answered and not cut off. */
export async function* auditExport(
  format: ExportFormat,
  first: ExportPage,
  page: (cursor: string) => Promise<ExportPage>,
): AsyncGenerator<string, void, void> {
  if (format === "csv") yield csvLine(AUDIT_ITEM_NAMES);
  for (let { items, next } = first; ;) {
    if (items.length > 0) yield items.map((item) => LINES[format](item)).join("");
    if (next === undefined) return;
    ({ items, next } = await page(next));
  }
}

const LINES = {
  csv: (item) => csvLine(AUDIT_ITEM_NAMES.map((name) => item[name])),
  ndjson: (item) => `${JSON.stringify(item)}\n`,
} as const satisfies Readonly<Record<ExportFormat, (item: Row) => string>>;
