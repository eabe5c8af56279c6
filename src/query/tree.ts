/** What a query says, with the place of everything in its text, before anybody asks which fields there are. */
import type { Span } from "./query-error.ts";

/** What stands behind `field:`, or alone. */
export type Value =
  | { readonly is: "word"; readonly text: string; readonly span: Span }
  | { readonly is: "phrase"; readonly text: string; readonly span: Span }
  | { readonly is: "regex"; readonly text: string; readonly span: Span }
  /** `text` is all of it, for fields that have no order: `../a` is a word there. */
  | {
      readonly is: "range";
      readonly text: string;
      readonly from: Bound;
      readonly to: Bound;
      readonly span: Span;
    };

/** An end of a range; an empty text is an open end. */
export interface Bound {
  readonly text: string;
  readonly span: Span;
}

export type Operator = ":" | ">" | ">=" | "<" | "<=";

export interface FieldName {
  readonly text: string;
  readonly span: Span;
}

export type Tree =
  /** An empty query: everything. */
  | { readonly kind: "everything" }
  | { readonly kind: "and" | "or"; readonly parts: readonly Tree[] }
  | { readonly kind: "not"; readonly part: Tree }
  | {
      readonly kind: "field";
      readonly field: FieldName;
      readonly operator: Operator;
      readonly value: Value;
    }
  | { readonly kind: "bare"; readonly value: Value };
