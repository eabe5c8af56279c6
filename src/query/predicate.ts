/** A check to a predicate over rows as the API answers them: in memory: what the SQL is tested by, and what filters rows that are there already. */
import { addressKey } from "./values/address-range.ts";
import type { Field, Row } from "./catalogue.ts";
import type { Check, Test } from "./check.ts";
import { fold } from "./values/fold.ts";
import { globMatches } from "./values/glob.ts";

export type Predicate = (row: Row) => boolean;

export function toPredicate(check: Check): Predicate {
  switch (check.kind) {
    case "everything":
      return () => true;
    case "and": {
      const parts = check.parts.map(toPredicate);
      return (row) => parts.every((part) => part(row));
    }
    case "or": {
      const parts = check.parts.map(toPredicate);
      return (row) => parts.some((part) => part(row));
    }
    case "not": {
      const part = toPredicate(check.part);
      return (row) => !part(row);
    }
    default: {
      const { field, test } = check;
      if (field.isMany !== true) return (row) => passes(field, test, field.read(row));
      return (row) => elementsOf(field.read(row)).some((value) => passes(field, test, value));
    }
  }
}

function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function passes(field: Field, test: Test, value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (field.type === "number" || field.type === "time") return numberPasses(field, test, value);
  return typeof value === "string" && textPasses(test, value);
}

function numberPasses(field: Field, test: Test, value: unknown): boolean {
  if (test.is === "present") return true;
  const number =
    field.type === "time" && typeof value === "string" ? Date.parse(value) : Number(value);
  if (test.is !== "between" || Number.isNaN(number)) return false;
  return number >= (test.min ?? -Infinity) && number <= (test.max ?? Infinity);
}

function textPasses(test: Test, text: string): boolean {
  switch (test.is) {
    case "present":
      return text !== "";
    case "equal":
      return fold(text) === test.text;
    case "contains":
      return fold(text).includes(test.text);
    case "glob":
      return globMatches(test.pieces, fold(text));
    case "regex":
      return test.compiled.matcher(text).find();
    case "one-of":
      return test.values.includes(text);
    case "address": {
      const key = addressKey(text);
      return key !== undefined && key >= test.range.first && key <= test.range.last;
    }
    default:
      return false;
  }
}
