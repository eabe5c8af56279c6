/** What a value means for a field of some type. */
import { addressRange } from "./values/address-range.ts";
import type { Field, FieldType } from "./catalogue.ts";
import type { Test } from "./check.ts";
import { fold } from "./values/fold.ts";
import { numberValue } from "./values/number-value.ts";
import { QueryError, type Span } from "./query-error.ts";
import { compileRegex } from "./values/regex.ts";
import { timeSpan } from "./values/time-value.ts";
import type { Bound, Operator, Value } from "./tree.ts";

export interface Comparison {
  readonly field: Field;
  readonly operator: Operator;
  readonly value: Value;
  readonly nowMs: number;
}

/** Throws `QueryError`. */
export function testOf(comparison: Comparison): Test {
  const { field, operator, value } = comparison;
  if (value.is === "word" && value.text === "*" && operator === ":") return { is: "present" };
  if (operator !== ":" && !isOrdered(field)) {
    const what = `${field.name} has no order that ${operator} could compare`;
    throw new QueryError(what, value.span, `write ${field.name}:value`);
  }
  return TESTS[field.type](comparison);
}

/** What a value means without a field: it is looked for in texts. */
export function textTestOf(value: Value): Test {
  if (value.is === "regex") return regexTest(value);
  const globbed = globOf(value);
  if (globbed !== undefined) return { is: "glob", pieces: globbed };
  return { is: "contains", text: fold(value.text) };
}

const TESTS = {
  name: ({ value }) => patternOf(value) ?? { is: "equal", text: fold(value.text) },
  text: ({ value }) => textTestOf(value),
  choice: choiceTest,
  number: (comparison) => rangeTest(comparison, numberSpan),
  time: (comparison) => rangeTest(comparison, timeSpanOf),
  address: addressTest,
} as const satisfies Readonly<Record<FieldType, (comparison: Comparison) => Test>>;

function isOrdered({ type, ordered }: Field): boolean {
  return type === "number" || type === "time" || (type === "choice" && ordered === true);
}

function patternOf(value: Value): Test | undefined {
  if (value.is === "regex") return regexTest(value);
  const pieces = globOf(value);
  return pieces === undefined ? undefined : { is: "glob", pieces };
}

/** Quoted, a star is a star. */
function globOf(value: Value): readonly string[] | undefined {
  const isPlain = value.is === "word" || value.is === "range";
  return isPlain && value.text.includes("*") ? fold(value.text).split("*") : undefined;
}

function regexTest({ text, span }: { readonly text: string; readonly span: Span }): Test {
  try {
    return { is: "regex", source: text, compiled: compileRegex(text) };
  } catch (cause) {
    throw new QueryError(regexFault(cause), span, "write it in the syntax of RE2");
  }
}

/** Without what the span shows already. */
function regexFault(cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause);
  return said
    .replace(/^error parsing regexp: /, "")
    .replace(/`\(\?s\)/, "`")
    .slice(0, 200);
}

function choiceTest(comparison: Comparison): Test {
  const { field, operator, value } = comparison;
  const { values = [] } = field;
  const pattern = patternOf(value);
  if (pattern !== undefined && operator === ":") return pattern;
  const place = (bound: Bound) => placeOf(bound, field);
  if (value.is === "range" && field.ordered) {
    if (operator !== ":") throw oneValue(comparison);
    const from = value.from.text === "" ? 0 : place(value.from);
    const to = value.to.text === "" ? values.length - 1 : place(value.to);
    return { is: "one-of", values: values.slice(from, to + 1) };
  }
  const at = place(value);
  return { is: "one-of", values: chosen(values, operator, at) };
}

function chosen(values: readonly string[], operator: Operator, at: number): readonly string[] {
  switch (operator) {
    case ":":
      return values.slice(at, at + 1);
    case ">":
      return values.slice(at + 1);
    case ">=":
      return values.slice(at);
    case "<":
      return values.slice(0, at);
    default:
      return values.slice(0, at + 1);
  }
}

function placeOf({ text, span }: Bound, { name, values = [] }: Field): number {
  const at = values.findIndex((each) => fold(each) === fold(text));
  if (at >= 0) return at;
  throw new QueryError(`${name} is never ${text}`, span, `it is one of ${values.join(", ")}`);
}

/** A value as a span of numbers: the first, and the last that still is it. */
type SpanOf = (
  bound: Bound,
  comparison: Comparison,
) => { readonly min: number; readonly max: number };

function rangeTest(comparison: Comparison, spanOf: SpanOf): Test {
  const { field, operator, value } = comparison;
  if (value.is === "regex" || (value.is === "word" && value.text.includes("*"))) {
    const what = `${field.name} is compared as ${field.type === "time" ? "a time" : "a number"}`;
    throw new QueryError(what, value.span, `write ${field.name}>=… or ${field.name}:a..b`);
  }
  if (value.is === "range") {
    if (operator !== ":") throw oneValue(comparison);
    const { from, to } = value;
    return {
      is: "between",
      ...(from.text === "" ? {} : { min: spanOf(from, comparison).min }),
      ...(to.text === "" ? {} : { max: spanOf(to, comparison).max }),
    };
  }
  const { min, max } = spanOf(value, comparison);
  switch (operator) {
    case ":":
      return { is: "between", min, max };
    case ">":
      return { is: "between", min: max + 1 };
    case ">=":
      return { is: "between", min };
    case "<":
      return { is: "between", max: min - 1 };
    default:
      return { is: "between", max };
  }
}

function oneValue({ operator, value }: Comparison): QueryError {
  return new QueryError(`${operator} takes one value`, value.span);
}

function numberSpan({ text, span }: Bound, { field }: Comparison): { min: number; max: number } {
  const number = numberValue(text, field.unit);
  if (number !== undefined) return { min: number, max: number };
  throw new QueryError(
    `${field.name} is a number, and ${text} is none`,
    span,
    NUMBER_HINTS[field.unit ?? "none"],
  );
}

const NUMBER_HINTS = {
  none: "write digits",
  bytes: "write 1500, 64KiB or 1.5MB",
  duration: "write milliseconds, or 30s, 5m, 2h",
} as const;

function timeSpanOf(
  { text, span }: Bound,
  { field, nowMs }: Comparison,
): { min: number; max: number } {
  const time = timeSpan(text, nowMs);
  if (time !== undefined) return { min: time.fromMs, max: time.toMs - 1 };
  throw new QueryError(
    `${field.name} is a time, and ${text} is none`,
    span,
    "write 2026-03-01, 2026-03-01T08:30, or 2h for two hours ago",
  );
}

function addressTest({ field, value }: Comparison): Test {
  const pattern = patternOf(value);
  if (pattern !== undefined) return pattern;
  const range = addressRange(value.text);
  if (range !== undefined) return { is: "address", range };
  const hint = "write 10.0.0.7, 10.0.0.0/8 or 10.0.*";
  throw new QueryError(`${field.name} is an address, and ${value.text} is none`, value.span, hint);
}
