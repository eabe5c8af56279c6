/**
 * Tables of text for a terminal. Cells come from anywhere, so every one is made printable. A column
 * is shown whole, whatever the terminal's width, unless its heading says that it may be cut or
 * wrapped: half an id is no id.
 */
import type { Colour, Paint } from "./colour.ts";
import { printable, truncated, widthColumns } from "./printable.ts";
import { GAP_COLUMNS, layoutColumns, type ColumnNeed, type LayoutLine } from "./table-layout.ts";

/**
 * One cell: numbers stand right-aligned; a colour is painted after widths are measured. `tail` stands
 * after the text and is whole also where the text is cut: the address after a name.
 */
export type Cell =
  | string
  | number
  | undefined
  | { readonly text: string; readonly colour?: Colour; readonly tail?: string };

/** A column whose cells give way on a narrow terminal. */
export interface YieldingColumn {
  readonly name: string;
  readonly fit: "cut" | "wrap";
  /** Narrower than this it is put on a line of its own instead. */
  readonly columnsMin: number;
}

/** A column's name; alone it means that its cells are always whole. */
export type Heading = string | YieldingColumn;

/** How to draw: `columnsMax` is the terminal's width, absent for a pipe (nothing gives way then). */
export interface TableStyle {
  readonly columnsMax?: number | undefined;
  readonly paint?: Paint | undefined;
  /** The rows alone: they go on below others. */
  readonly isContinued?: boolean | undefined;
}

/** Enough of most names to know them by. */
const CUT_COLUMNS_MIN = 12;
/** Narrower, text becomes a column of single words. */
const WRAPPED_COLUMNS_MIN = 24;

/** A column of titles or names: what does not fit is cut off, and an ellipsis shows where. */
export function cuttable(name: string, columnsMin: number = CUT_COLUMNS_MIN): YieldingColumn {
  return { name, fit: "cut", columnsMin };
}

/** A column of text that goes on below, between words; words are whole. */
export function wrappable(name: string): YieldingColumn {
  return { name, fit: "wrap", columnsMin: WRAPPED_COLUMNS_MIN };
}

/** The lines of a table, each ending in a newline; a headline in capitals, then the rows. */
export function formatTable(
  headings: readonly Heading[],
  rows: readonly (readonly Cell[])[],
  style: TableStyle = {},
): string {
  const names = headings.map((heading): Drawn => {
    const text = typeof heading === "string" ? heading : heading.name;
    return { text: text.toUpperCase(), tail: "", colour: "dim" };
  });
  const drawn = [names, ...rows.map((row) => headings.map((_, column) => draw(row[column])))];
  const columns = headings.map((heading, column) => ({
    fit: typeof heading === "string" ? undefined : heading.fit,
    isNumeric: isNumeric(rows, column),
  }));
  const needs = headings.map((heading, column) => need(heading, drawn, column));
  const layout = layoutColumns(needs, style.columnsMax);
  const shown = style.isContinued === true ? drawn.slice(1) : drawn;
  const lines = shown.flatMap((cells) =>
    layout.flatMap((line) => rowLines(line, cells, { columns, paint: style.paint })),
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** A cell made printable. */
interface Drawn {
  readonly text: string;
  readonly tail: string;
  readonly colour: Colour | undefined;
}

function draw(cell: Cell): Drawn {
  if (cell === undefined) return { text: "", tail: "", colour: undefined };
  if (typeof cell !== "object")
    return { text: printable(String(cell)), tail: "", colour: undefined };
  const { text, tail = "", colour } = cell;
  return { text: printable(text), tail: printable(tail), colour };
}

function isNumeric(rows: readonly (readonly Cell[])[], column: number): boolean {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== undefined);
  return cells.length > 0 && cells.every((cell) => typeof cell === "number");
}

function need(heading: Heading, drawn: readonly (readonly Drawn[])[], column: number): ColumnNeed {
  let [width, widthMin] = [0, 0];
  for (const row of drawn) {
    const cell = row[column];
    if (cell === undefined) continue;
    const whole = widthColumns(joined(cell));
    width = Math.max(width, whole);
    const least = leastWidth(heading, cell, { whole, isLast: column === row.length - 1 });
    widthMin = Math.max(widthMin, least);
  }
  return { width, widthMin };
}

function leastWidth(
  heading: Heading,
  { text, tail }: Drawn,
  { whole, isLast }: { readonly whole: number; readonly isLast: boolean },
): number {
  if (typeof heading === "string") return whole;
  const { fit, columnsMin } = heading;
  if (fit === "cut") return Math.min(whole, columnsMin + tailWidth(tail));
  // Nothing stands after the last column that a long word could push aside.
  const longestWord = isLast ? 0 : Math.max(...text.split(" ").map(widthColumns));
  return Math.min(whole, Math.max(columnsMin, longestWord));
}

function tailWidth(tail: string): number {
  return tail === "" ? 0 : 1 + widthColumns(tail);
}

function joined({ text, tail }: Drawn): string {
  return text === "" || tail === "" ? text + tail : `${text} ${tail}`;
}

interface Drawing {
  readonly columns: readonly {
    readonly fit: YieldingColumn["fit"] | undefined;
    isNumeric: boolean;
  }[];
  readonly paint: Paint | undefined;
}

/** As many lines as the wrapped cell with the most of them. */
function rowLines(
  line: LayoutLine,
  cells: readonly Drawn[],
  { columns, paint }: Drawing,
): string[] {
  const blocks = line.columns.map(({ index, width }) => {
    const cell = cells[index] ?? draw(undefined);
    const texts =
      columns[index]?.fit === "wrap" ? wrap(joined(cell), width) : [shortened(cell, width)];
    return { texts, width, colour: cell.colour, isRight: columns[index]?.isNumeric === true };
  });
  const height = Math.max(1, ...blocks.map(({ texts }) => texts.length));
  return Array.from({ length: height }, (_, at) => {
    const parts = blocks.map(({ texts, width, colour, isRight }) => {
      const text = padded(texts[at] ?? "", width, isRight);
      return colour === undefined || paint === undefined ? text : paint(colour, text);
    });
    return (" ".repeat(line.indent) + parts.join(" ".repeat(GAP_COLUMNS))).trimEnd();
  });
}

function shortened(cell: Drawn, width: number): string {
  const { text, tail } = cell;
  if (tail === "") return truncated(text, width);
  return joined({ ...cell, text: truncated(text, Math.max(0, width - tailWidth(tail))) });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && widthColumns(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function padded(text: string, width: number, isRight: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthColumns(text)));
  return isRight ? space + text : text + space;
}
