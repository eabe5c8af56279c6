/** A tree and a catalogue to a check: names become fields, texts become values, and what fits neither is explained. */
import { addressRange } from "./values/address-range.ts";
import type { Catalogue, Field } from "./catalogue.ts";
import type { Check, Test } from "./check.ts";
import { fold } from "./values/fold.ts";
import { nearest } from "./nearest.ts";
import { QueryError } from "./query-error.ts";
import { testOf, textTestOf } from "./test-of.ts";
import type { FieldName, Operator, Tree, Value } from "./tree.ts";

export interface BindContext {
  readonly catalogue: Catalogue;
  /** What `2h` and `now` are counted from. */
  readonly nowMs: number;
}

/** Throws `QueryError`. */
export function bind(tree: Tree, context: BindContext): Check {
  switch (tree.kind) {
    case "everything":
      return { kind: "everything" };
    case "and":
    case "or":
      return { kind: tree.kind, parts: tree.parts.map((part) => bind(part, context)) };
    case "not":
      return { kind: "not", part: bind(tree.part, context) };
    case "field":
      return named(tree, context);
    default:
      return bare(tree.value, context.catalogue);
  }
}

interface Named {
  readonly field: FieldName;
  readonly operator: Operator;
  readonly value: Value;
}

function named({ field: name, operator, value }: Named, context: BindContext): Check {
  const tests = fieldsNamed(name, context.catalogue).map((field): Check => {
    const test = testOf({ field, operator, value, nowMs: context.nowMs });
    return { kind: "test", field, test };
  });
  return anyOf(tests);
}

function fieldsNamed(name: FieldName, catalogue: Catalogue): Field[] {
  const { fields, groups, rows } = catalogue;
  const key = fold(name.text);
  const field = fields.get(key);
  if (field !== undefined) return [field];
  const group = groups.get(key);
  if (group !== undefined) return group.fields.map((each) => known(catalogue, each));
  const near = nearest(key, [...fields.keys(), ...groups.keys()]);
  const meant = near === undefined ? "" : `did you mean ${near}? `;
  const hint = `${meant}Quote it to look for the text`;
  throw new QueryError(`${rows} have no field ${name.text}`, name.span, hint);
}

function bare(value: Value, catalogue: Catalogue): Check {
  const { text, address = [], number = [], endpoints = [] } = catalogue.bare;
  const texts = anyTest(catalogue, text, textTestOf(value));
  if (value.is !== "word") return texts;
  const range = addressRange(value.text);
  if (range !== undefined && address.length > 0) {
    return anyTest(catalogue, address, { is: "address", range });
  }
  if (/^\d{1,15}$/.test(value.text) && number.length > 0) {
    const exactly = Number(value.text);
    const numbers = anyTest(catalogue, number, { is: "between", min: exactly, max: exactly });
    return anyOf([numbers, texts]);
  }
  const ends = endpoints.flatMap((end) => endpoint(value.text, end, catalogue));
  return ends.length > 0 ? anyOf(ends) : texts;
}

/** `10.0.0.7:443`, `[fd00::1]:443`. */
function endpoint(
  text: string,
  [addressField, portField]: readonly [string, string],
  catalogue: Catalogue,
): Check[] {
  const match = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  const range = addressRange(match?.[1] ?? match?.[2] ?? "");
  if (range === undefined) return [];
  const port = Number(match?.[3]);
  return [
    {
      kind: "and",
      parts: [
        { kind: "test", field: known(catalogue, addressField), test: { is: "address", range } },
        {
          kind: "test",
          field: known(catalogue, portField),
          test: { is: "between", min: port, max: port },
        },
      ],
    },
  ];
}

function anyTest(catalogue: Catalogue, names: readonly string[], test: Test): Check {
  return anyOf(names.map((name): Check => ({ kind: "test", field: known(catalogue, name), test })));
}

function anyOf(parts: readonly Check[]): Check {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: "or", parts };
}

/** The catalogue names it itself: it is there, or the catalogue is wrong. */
function known(catalogue: Catalogue, name: string): Field {
  const field = catalogue.fields.get(name);
  if (field === undefined) throw new Error(`the catalogue of ${catalogue.rows} has no ${name}`);
  return field;
}
