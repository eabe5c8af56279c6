/**
 * Users' SQL (`tallystick sql`, the console's SQL page) reads a few public tables and nothing else. The engine's `readonly` does not give us that: it still
 * reads files, calls URLs and shows system tables. So each query is parsed by the engine itself and the tree is checked
 * against lists of what is allowed; what is not on a list is refused.
 *
 * 1. `formatQuery`, with the text as a bound value, parses it without running it, refuses several statements, and gives its canonical form: no
 *    comments, no heredocs, one kind of quotes, and without what the tree would not show (`t UUID '…'` names any table).
 *    From here on only the canonical form is used: what is checked is what is run.
 * 2. The canonical text must begin as a query and hold no output clause, settings or parameters, so that it is safe behind `EXPLAIN AST`.
 * 3. Every node of the tree must be of an allowed kind, every function and table function on its list.
 * 4. Every table name, also on the right of IN, must be public; or be defined by WITH in the query and not be the name of any real
 *    table, so that it makes no difference where that definition is in force.
 */
import { text } from "node:stream/consumers";
import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import { allowedFunction, allowedTableFunctions } from "./sql-functions.ts";
import { parseTree, type SqlNode } from "./sql-tree.ts";
import { storeErrorOf } from "./store-error.ts";

export const sqlRefusals = {
  sql_empty: "there is no query",
  sql_too_long: "the query is longer than 64 KiB",
  sql_syntax: "the engine cannot parse the query",
  sql_many_statements: "there is more than one statement",
  sql_not_select: "the statement does not begin with SELECT or WITH",
  sql_clause:
    "the query has a clause that is not for users: SETTINGS, FORMAT, INTO OUTFILE, EXPLAIN, APPLY …",
  sql_parameter: "the query has {name:Type} parameters",
  sql_identifier:
    "a quoted name holds characters other than letters, digits, space and _ . : / % -",
  sql_table: "the query names a table that is not public, or one in another database",
  sql_function: "the query calls a function that is not on the list",
  sql_table_function: "the query reads from a table function that is not on the list",
  sql_failed: "the engine could not run the query",
} as const;

export type SqlRefusalCode = keyof typeof sqlRefusals;

/** A query that passed; only the guard makes them. */
export interface CheckedSql {
  readonly ok: true;
  readonly sql: string & { readonly checked: unique symbol };
}

export interface SqlRefusal {
  readonly ok: false;
  readonly code: SqlRefusalCode;
  readonly message: string;
}

const textMaxBytes = 64 * 1024;
const checkSettings: ClickHouseSettings = {
  readonly: "2",
  max_execution_time: 5,
  max_memory_usage: "200000000",
};

/**
 * Checks `sql` against the database of `client`. `publicTables` are the tables and views it may read, by the names users see.
 * Throws `store_unavailable` when the engine cannot be asked.
 */
export async function guard(
  client: ClickHouseClient,
  sql: string,
  publicTables: ReadonlySet<string>,
): Promise<CheckedSql | SqlRefusal> {
  if (sql.trim() === "") return refuse("sql_empty");
  if (sql.includes("\0")) return refuse("sql_syntax", "it holds a NUL character");
  if (Buffer.byteLength(sql) > textMaxBytes) return refuse("sql_too_long");
  const canonical = await canonicalForm(client, sql);
  if (typeof canonical !== "string") return canonical;
  const textual = checkText(canonical);
  if (textual !== undefined) return textual;
  const tree = parseTree(await explain(client, canonical));
  if (tree === undefined) return refuse("sql_not_select");
  const tables = new Set<string>();
  const refusal =
    checkRoot(tree) ??
    checkNode(tree, tables) ??
    (await checkTables(client, canonical, tables, publicTables));
  return refusal ?? { ok: true, sql: canonical as CheckedSql["sql"] };
}

export function refuse(code: SqlRefusalCode, detail?: string): SqlRefusal {
  return {
    ok: false,
    code,
    message: detail === undefined ? sqlRefusals[code] : `${sqlRefusals[code]}: ${detail}`,
  };
}

async function canonicalForm(client: ClickHouseClient, sql: string): Promise<string | SqlRefusal> {
  try {
    const rows = await askRows(client, "SELECT formatQuerySingleLine({sql:String}) AS line", {
      sql,
    });
    return rows[0] ?? "";
  } catch (error) {
    const failure = storeErrorOf(error);
    if (failure.code === "store_unavailable") throw failure;
    const reason = failure.message.replace(/: In scope [\s\S]*$/, "").trim();
    return /Multi-statements/.test(reason)
      ? refuse("sql_many_statements")
      : refuse("sql_syntax", reason);
  }
}

/** The canonical text without its strings; quoted names stay. */
const quotedParts = /'(?:[^'\\]|\\.)*'|`(?<name>(?:[^`\\]|\\.)*)`/gs;
const safeName = /^[\p{L}\p{N}_ .:/%-]*$/u;

function checkText(canonical: string): SqlRefusal | undefined {
  for (const part of canonical.matchAll(quotedParts)) {
    const name = part.groups?.["name"];
    if (name !== undefined && !safeName.test(name)) return refuse("sql_identifier");
  }
  const bare = canonical.replace(quotedParts, "''");
  if (bare.includes("{")) return refuse("sql_parameter");
  if (!/^(?:SELECT|WITH|\()/.test(bare)) return refuse("sql_not_select");
  if (/[;`\n]|\b(?:OUTFILE|INFILE|PARALLEL WITH)\b|\bFORMAT [A-Za-z]|\bSETTINGS [a-z]/.test(bare))
    return refuse("sql_clause");
  return undefined;
}

async function explain(client: ClickHouseClient, canonical: string): Promise<string[]> {
  try {
    // Not client.query, which appends a FORMAT clause: the parser would take it for the inner query's.
    const settings = { ...checkSettings, default_format: "TabSeparatedRaw" } as ClickHouseSettings;
    const query = `EXPLAIN AST ${canonical}`;
    const answer = await client.exec({ query, clickhouse_settings: settings });
    return (await text(answer.stream)).trimEnd().split("\n");
  } catch (error) {
    const failure = storeErrorOf(error);
    if (failure.code === "store_unavailable") throw failure;
    return [];
  }
}

/** What a node may be. Transformers with a function in a field (`* APPLY f`) are absent, so are settings, formats and parameters. */
const allowedKinds = new Set([
  "SelectWithUnionQuery",
  "SelectIntersectExceptQuery",
  "SelectQuery",
  "ExpressionList",
  "Subquery",
  "WithElement",
  "TablesInSelectQuery",
  "TablesInSelectQueryElement",
  "TableExpression",
  "TableIdentifier",
  "TableJoin",
  "ArrayJoin",
  "SampleRatio",
  "Identifier",
  "Literal",
  "Function",
  "Asterisk",
  "QualifiedAsterisk",
  "ColumnsTransformerList",
  "ColumnsExceptTransformer",
  "ColumnsReplaceTransformer",
  "ColumnsReplaceTransformer::Replacement",
  "OrderByElement",
  "InterpolateElement",
  "WindowDefinition",
  "WindowListElement",
]);

function checkRoot(tree: SqlNode): SqlRefusal | undefined {
  return tree.kind === "SelectWithUnionQuery" ? undefined : refuse("sql_not_select");
}

function checkNode(node: SqlNode, tables: Set<string>): SqlRefusal | undefined {
  if (!allowedKinds.has(node.kind)) return refuse("sql_clause", node.kind);
  if (node.kind === "SelectWithUnionQuery" && node.children.length !== 1)
    return refuse("sql_clause");
  if (node.kind === "TableIdentifier") tables.add(node.name);
  if (node.kind === "Function") {
    const refusal = checkFunction(node, tables);
    if (refusal !== undefined) return refusal;
  }
  for (const child of node.children) {
    const refusal =
      node.kind === "TableExpression" && child.kind === "Function"
        ? checkTableFunction(child, tables)
        : checkNode(child, tables);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkTableFunction(node: SqlNode, tables: Set<string>): SqlRefusal | undefined {
  if (!allowedTableFunctions.has(node.name)) return refuse("sql_table_function", node.name);
  return firstRefusal(node.children, tables);
}

function firstRefusal(nodes: readonly SqlNode[], tables: Set<string>): SqlRefusal | undefined {
  for (const node of nodes) {
    const refusal = checkNode(node, tables);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkFunction(node: SqlNode, tables: Set<string>): SqlRefusal | undefined {
  if (!allowedFunction(node.name)) return refuse("sql_function", node.name);
  const list = node.children[0]?.children ?? [];
  if (/in$/i.test(node.name)) {
    // `x IN name` reads the table of that name.
    const right = list[1];
    if (right?.kind === "Identifier") tables.add(right.name);
  }
  if (
    /^(?:accurate)?cast/i.test(node.name) &&
    (list[1]?.kind !== "Literal" || /aggregatefunction/i.test(list[1].name))
  ) {
    return refuse("sql_function", `${node.name} to this type`);
  }
  return undefined;
}

async function checkTables(
  client: ClickHouseClient,
  canonical: string,
  tables: ReadonlySet<string>,
  publicTables: ReadonlySet<string>,
): Promise<SqlRefusal | undefined> {
  const others = [...tables].filter((name) => !publicTables.has(name));
  const bare = canonical.replace(quotedParts, (_whole, name: string | undefined) => name ?? "''");
  const undefinedName = others.find(
    (name) =>
      !/^[A-Za-z_]\w*$/.test(name) ||
      !new RegExp(`\\b${name}(?:\\([^()]*\\))? AS (?:NOT )?(?:MATERIALIZED )?\\(`).test(bare),
  );
  if (undefinedName !== undefined) return refuse("sql_table", undefinedName);
  if (others.length === 0) return undefined;
  const real = await askRows(
    client,
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN {names:Array(String)}",
    { names: others },
  );
  return real[0] === undefined ? undefined : refuse("sql_table", real[0]);
}

/** The single column of the answer. */
async function askRows(
  client: ClickHouseClient,
  query: string,
  params?: Record<string, unknown>,
): Promise<string[]> {
  const answer = await client.query({
    query,
    format: "JSONCompactEachRow",
    clickhouse_settings: checkSettings,
    ...(params === undefined ? {} : { query_params: params }),
  });
  const rows = await answer.json<[string]>();
  return rows.map(([value]) => value);
}
