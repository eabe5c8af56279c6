/** What a field holds: for completion, the values that are met most, of those that begin as somebody types. */
import type { Catalogue, Field } from "../../query/catalogue.ts";
import { fold } from "../../query/values/fold.ts";
import { ServeError } from "../serve-error.ts";
import type { Condition } from "./list-statement.ts";
import type { Statement, StoreReader } from "./store-reader.ts";

export interface ValuesAsked {
  readonly catalogue: Catalogue;
  /** Rows of all versions will do: a value that was is as good a guess as one that is. */
  readonly view: string;
  /** Of a field or a group of fields. */
  readonly name: string;
  readonly prefix: string;
  readonly conditions: readonly Condition[];
  readonly valuesMax: number;
}

/** Most frequent first. Throws `bad_request` for a field that is not there, and the errors of the store. */
export async function readValues(store: StoreReader, asked: ValuesAsked): Promise<string[]> {
  const fields = fieldsNamed(asked);
  const [first] = fields;
  if (first?.values !== undefined) return chosen(first.values, asked);
  const kept = fields.filter(({ type }) => type !== "time" && type !== "text");
  if (kept.length === 0) return [];
  const rows = await store.rows<{ value: string }>(statementOf(kept, asked));
  return rows.map(({ value }) => value);
}

function fieldsNamed({ catalogue, name }: ValuesAsked): Field[] {
  const { fields, groups, rows } = catalogue;
  const names = groups.get(name)?.fields ?? [name];
  const found = names.flatMap((each) => fields.get(each) ?? []);
  if (found.length > 0) return found;
  throw new ServeError("bad_request", `${rows} have no field ${name.slice(0, 64)}`);
}

function chosen(values: readonly string[], { prefix, valuesMax }: ValuesAsked): string[] {
  return values.filter((value) => fold(value).startsWith(fold(prefix))).slice(0, valuesMax);
}

/** A number is compared as it is printed, and of a list each. */
function statementOf(fields: readonly Field[], asked: ValuesAsked): Statement {
  const { view, prefix, conditions, valuesMax } = asked;
  const where = [...conditions.map(({ sql }) => `(${sql})`), "value != ''"];
  if (prefix !== "") where.push("startsWith(lower(value), {prefix:String})");
  const texts = fields.map(textOf);
  const value = texts.length === 1 ? texts.join("") : `arrayJoin([${texts.join(", ")}])`;
  return {
    text: `SELECT ${value} AS value FROM ${view} WHERE ${where.join(" AND ")}
      GROUP BY value ORDER BY count() DESC, value LIMIT {values:UInt32}`,
    params: Object.assign(
      { prefix: fold(prefix), values: valuesMax },
      ...conditions.map(({ params }) => params),
    ) as Record<string, unknown>,
  };
}

function textOf({ sql, type, isMany }: Field): string {
  if (isMany === true) return `arrayJoin(${sql})`;
  return type === "number" ? `toString(${sql})` : sql;
}
