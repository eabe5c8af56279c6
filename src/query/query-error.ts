import { printable, widthColumns } from "../std/printable.ts";

/** A query that cannot be understood: what is wrong, and at which place of its text. */
export class QueryError extends Error {
  readonly code = "bad_query";
  /** UTF-16 offsets into the query; `to` is exclusive, and the same as `from` at the end of the text. */
  readonly from: number;
  readonly to: number;
  /** The sentence alone, as the message has it before the place. */
  readonly what: string;
  /** What to write instead, if one can tell. */
  readonly hint: string;

  constructor(what: string, { from, to }: Span, hint = "") {
    super(`at ${from + 1}: ${what}${hint === "" ? "" : `; ${hint}`}`);
    this.name = "QueryError";
    this.what = what;
    this.from = from;
    this.to = to;
    this.hint = hint;
  }
}

/** A part of the query's text: UTF-16 offsets, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** For a terminal: the query, a mark below the place, and what is wrong there; one line each. */
export function explain(query: string, error: QueryError): readonly [string, string, string] {
  const [before, at] = [query.slice(0, error.from), query.slice(error.from, error.to)].map(shown);
  const mark = "^".repeat(Math.max(1, widthColumns(at ?? "")));
  const hint = error.hint === "" ? "" : `; ${error.hint}`;
  return [
    shown(query),
    `${" ".repeat(widthColumns(before ?? ""))}${mark}`,
    shown(`${error.what}${hint}`),
  ];
}

function shown(text: string): string {
  return printable(text.replaceAll(/\s/gu, " "));
}
