/** From a query's text to a check, in one step. */
import { bind, type BindContext } from "./bind.ts";
import type { Check } from "./check.ts";
import { parse } from "./parse.ts";

/** Throws `QueryError`. */
export function understand(text: string, context: BindContext): Check {
  return bind(parse(text), context);
}
