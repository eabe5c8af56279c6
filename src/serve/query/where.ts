/** `where` of a list: a query in the one language (src/query) as a condition of a statement. */
import type { Catalogue } from "../../query/catalogue.ts";
import { QueryError } from "../../query/query-error.ts";
import { toSql } from "../../query/sql.ts";
import { understand } from "../../query/understand.ts";
import { ServeError } from "../serve-error.ts";
import type { Condition } from "./list-statement.ts";

/** None for no query. Throws `bad_query`, whose detail names the place. */
export function whereConditions(
  query: string | undefined,
  catalogue: Catalogue,
  nowMs: number,
): Condition[] {
  if (query === undefined) return [];
  try {
    return [toSql(understand(query, { catalogue, nowMs }))];
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new ServeError("bad_query", error.message, { cause: error });
  }
}
