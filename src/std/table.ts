/**
 * Tables of text for a terminal. Cells come from anywhere, so every one is made printable; a table
 * wider than the terminal gives up columns of its widest cells first, and shows where it cut.
 */
import type { Colour, Paint } from "./colour.ts";
import { printable, truncated, widthColumns } from "./printable.ts";

/** One cell: numbers stand right-aligned; a colour is painted after widths are measured. */
export type Cell = string | number | undefined | { readonly text: string; readonly colour: Colour };

/** How to draw: `columnsMax` is the terminal's width, absent for a pipe (nothing is cut then). */
export interface TableStyle {
  readonly columnsMax?: number | undefined;
  readonly paint?: Paint;
}

const gap = "  ";

/** A column never shrinks below this: three characters and the ellipsis. */
const shrunkColumnsMin = 4;

/** The lines of a table, each ending in a newline; a headline in capitals, then the rows. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  style: TableStyle = {},
): string {
  const texts = [headings.map((heading) => heading.toUpperCase()), ...rows.map(cellTexts)];
  const widths = fitted(measured(texts, headings.length), style.columnsMax);
  const rightAligned = headings.map((_, column) => isNumeric(rows, column));
  const lines = texts.map((line, index) =>
    widths
      .map((width, column) => {
        const text = padded(line[column] ?? "", width, rightAligned[column] === true);
        const colour = index === 0 ? "dim" : colourOf(rows[index - 1]?.[column]);
        return colour === undefined || style.paint === undefined ? text : style.paint(colour, text);
      })
      .join(gap)
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join("");
}

function cellTexts(row: readonly Cell[]): string[] {
  return row.map((cell) => {
    if (cell === undefined) return "";
    return printable(typeof cell === "object" ? cell.text : String(cell));
  });
}

function colourOf(cell: Cell): Colour | undefined {
  return typeof cell === "object" ? cell.colour : undefined;
}

function isNumeric(rows: readonly (readonly Cell[])[], column: number): boolean {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== undefined);
  return cells.length > 0 && cells.every((cell) => typeof cell === "number");
}

function measured(texts: readonly string[][], count: number): number[] {
  return Array.from({ length: count }, (_, column) =>
    texts.reduce((width, line) => Math.max(width, widthColumns(line[column] ?? "")), 0),
  );
}

/** Takes one column at a time off the widest: short columns keep their text for as long as possible. */
function fitted(widths: number[], columnsMax: number | undefined): number[] {
  if (columnsMax === undefined) return widths;
  const fit = [...widths];
  let excess = fit.reduce((sum, width) => sum + width + gap.length, -gap.length) - columnsMax;
  while (excess > 0) {
    const widest = fit.indexOf(Math.max(...fit));
    const width = fit[widest] ?? 0;
    if (width <= shrunkColumnsMin) break;
    fit[widest] = width - 1;
    excess--;
  }
  return fit;
}

function padded(text: string, width: number, right: boolean): string {
  const cut = truncated(text, width);
  const space = " ".repeat(width - widthColumns(cut));
  return right ? space + cut : cut + space;
}
