/** A check to SQL. All that stands in it is ours; what was asked for is in parameters. */
import { addressOfKey } from "./values/address-range.ts";
import type { Field } from "./catalogue.ts";
import type { Check, Test } from "./check.ts";
import { likePattern } from "./values/glob.ts";

export interface SqlCondition {
  /** 1 or 0, never NULL. */
  readonly sql: string;
  /** For `{q0:String}` and so on. */
  readonly params: Readonly<Record<string, unknown>>;
}

export function toSql(check: Check): SqlCondition {
  const params: Record<string, unknown> = {};
  const param = (type: "String" | "Int64" | "Array(String)", value: unknown): string => {
    const name = `q${Object.keys(params).length}`;
    params[name] = value;
    return `{${name}:${type}}`;
  };
  return { sql: conditionOf(check, param), params };
}

type Param = (type: "String" | "Int64" | "Array(String)", value: unknown) => string;

function conditionOf(check: Check, param: Param): string {
  switch (check.kind) {
    case "everything":
      return "1";
    case "and":
    case "or":
      return `(${check.parts.map((part) => conditionOf(part, param)).join(` ${check.kind} `)})`;
    case "not":
      return `not(${conditionOf(check.part, param)})`;
    default:
      // Whatever is unknown of a row passes no test, so that its opposite passes for sure.
      return `ifNull(${anySql(check.field, check.test, param)}, 0)`;
  }
}

function anySql(field: Field, test: Test, param: Param): string {
  if (field.isMany !== true) return testSql(field, test, param);
  return `arrayExists(each -> ${testSql({ ...field, sql: "each" }, test, param)}, ${field.sql})`;
}

function testSql(field: Field, test: Test, param: Param): string {
  const text = field.sql;
  switch (test.is) {
    case "present":
      return isTextual(field) ? `${text} != ''` : `isNotNull(${field.sql})`;
    case "equal":
      return `lower(${text}) = ${param("String", test.text)}`;
    case "contains":
      return `position(lower(${text}), ${param("String", test.text)}) > 0`;
    case "glob":
      return `lower(${text}) LIKE ${param("String", likePattern(test.pieces))}`;
    case "regex":
      return `match(${text}, ${param("String", test.source)})`;
    case "one-of":
      return `${text} IN ${param("Array(String)", test.values)}`;
    case "between":
      return betweenSql(field, test, param);
    default:
      return addressSql(text, test.range, param);
  }
}

function isTextual({ type }: Field): boolean {
  return type !== "number" && type !== "time";
}

function betweenSql(
  field: Field,
  { min, max }: Extract<Test, { readonly is: "between" }>,
  param: Param,
): string {
  const bound = (value: number) => {
    const number = param("Int64", value);
    return field.type === "time" ? `fromUnixTimestamp64Milli(${number}, 'UTC')` : number;
  };
  const parts = [
    ...(min === undefined ? [] : [`${field.sql} >= ${bound(min)}`]),
    ...(max === undefined ? [] : [`${field.sql} <= ${bound(max)}`]),
  ];
  return parts.length === 0 ? `isNotNull(${field.sql})` : parts.join(" AND ");
}

/** A single address is one text, canonical on both sides. */
function addressSql(
  text: string,
  { first, last }: { readonly first: string; readonly last: string },
  param: Param,
): string {
  if (first === last) return `${text} = ${param("String", addressOfKey(first))}`;
  const ends = [first, last].map((key) => `toIPv6(${param("String", addressOfKey(key))})`);
  return `toIPv6OrNull(${text}) BETWEEN ${ends.join(" AND ")}`;
}
