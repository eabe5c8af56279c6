/**
 * How the columns of a table fit a terminal. Columns that may be cut or wrapped give way first, the
 * widest of them most; where that is not enough, the columns continue on a second line of each row.
 * What may neither be cut nor wrapped, an id or a time, is whole on any terminal.
 */

/** What a column's cells need, in terminal columns. */
export interface ColumnNeed {
  /** Of its widest cell. */
  readonly width: number;
  /** Below this nothing of it is shortened; at most `width`. */
  readonly widthMin: number;
}

/** A column at its place: which one, and how wide. */
export interface PlacedColumn {
  readonly index: number;
  readonly width: number;
}

/** Columns on one line of a row. */
export interface LayoutLine {
  readonly indent: number;
  readonly columns: readonly PlacedColumn[];
}

/** Between two columns. */
export const GAP_COLUMNS = 2;

/** By it a reader sees which lines belong to the row above. */
const CONTINUED_INDENT = 2;

/** The lines of one row, at least one; `columnsMax` is the terminal's width, absent for a pipe. */
export function layoutColumns(
  needs: readonly ColumnNeed[],
  columnsMax: number = Number.MAX_SAFE_INTEGER,
): LayoutLine[] {
  const lines: { indent: number; indexes: number[]; leastWidth: number }[] = [];
  needs.forEach(({ widthMin }, index) => {
    const line = lines.at(-1);
    const leastWidth = line === undefined ? 0 : line.leastWidth + GAP_COLUMNS + widthMin;
    if (line !== undefined && leastWidth <= columnsMax) {
      line.indexes.push(index);
      line.leastWidth = leastWidth;
      return;
    }
    const indent = line === undefined ? 0 : CONTINUED_INDENT;
    lines.push({ indent, indexes: [index], leastWidth: indent + widthMin });
  });
  return lines.map(({ indent, indexes }) => ({
    indent,
    columns: fitted(needs, indexes, columnsMax - indent),
  }));
}

/** Takes one column at a time off the widest that can give: narrow ones stay whole for as long as possible. */
function fitted(
  needs: readonly ColumnNeed[],
  indexes: readonly number[],
  columnsMax: number,
): PlacedColumn[] {
  const columns = indexes.map((index) => {
    const { width = 0, widthMin = 0 } = needs[index] ?? {};
    return { index, width, widthMin };
  });
  let excess =
    columns.reduce((sum, { width }) => sum + width + GAP_COLUMNS, -GAP_COLUMNS) - columnsMax;
  while (excess > 0) {
    const giving = columns.filter(({ width, widthMin }) => width > widthMin);
    if (giving.length === 0) break;
    const widest = giving.reduce((a, b) => (b.width > a.width ? b : a));
    widest.width--;
    excess--;
  }
  return columns.map(({ index, width }) => ({ index, width }));
}
