/**
 * The engine's own parse of a query, read from the lines of `EXPLAIN AST`: one node a line, a space of indentation a level.
 *
 *     SelectQuery (children 2)
 *      ExpressionList (children 1)
 *       Function sum (alias total) (children 1)
 *
 * Sound only for texts whose quoted identifiers hold neither line breaks nor parentheses; the guard refuses others first. Literals are printed escaped.
 */
export interface SqlNode {
  readonly kind: string;
  /** Name of a function, identifier or table; for other kinds whatever the engine prints. */
  readonly name: string;
  readonly children: readonly SqlNode[];
}

interface OpenNode extends SqlNode {
  readonly children: OpenNode[];
}

/** The roots; a single statement has exactly one. Undefined when the lines do not form a tree. */
export function parseTree(lines: readonly string[]): SqlNode | undefined {
  const path: OpenNode[] = [];
  const roots: OpenNode[] = [];
  for (const line of lines) {
    const depth = line.length - line.trimStart().length;
    if (depth > path.length) return undefined;
    const node = parseLine(line.slice(depth));
    path.length = depth;
    (path.at(-1)?.children ?? roots).push(node);
    path.push(node);
  }
  return roots.length === 1 ? roots[0] : undefined;
}

function parseLine(text: string): OpenNode {
  const space = text.indexOf(" ");
  if (space < 0) return { kind: text, name: "", children: [] };
  const kind = text.slice(0, space);
  if (kind === "Literal") return { kind, name: text.slice(space + 1), children: [] };
  const rest = text
    .slice(space)
    .replace(/ \(children \d+\)$/, "")
    .replace(/ \(alias [^()]*\)$/, "");
  return { kind, name: rest.trim(), children: [] };
}
