/**
 * A query whose every word has been understood: which fields, compared how. SQL and predicate are
 * both made from this, so that they cannot differ in what they understood.
 */
import type { RE2JS } from "re2js";
import type { AddressRange } from "./values/address-range.ts";
import type { Field } from "./catalogue.ts";
import type { Glob } from "./values/glob.ts";

export type Check =
  | { readonly kind: "everything" }
  | { readonly kind: "and" | "or"; readonly parts: readonly Check[] }
  | { readonly kind: "not"; readonly part: Check }
  /** A field without a value passes none of them. */
  | { readonly kind: "test"; readonly field: Field; readonly test: Test };

export type Test =
  /** It has a value, and not the empty text. */
  | { readonly is: "present" }
  /** Folded. */
  | { readonly is: "equal"; readonly text: string }
  | { readonly is: "contains"; readonly text: string }
  | { readonly is: "glob"; readonly pieces: Glob }
  | { readonly is: "regex"; readonly source: string; readonly compiled: RE2JS }
  /** Both inclusive; absent: no end on that side. */
  | { readonly is: "between"; readonly min?: number; readonly max?: number }
  | { readonly is: "one-of"; readonly values: readonly string[] }
  | { readonly is: "address"; readonly range: AddressRange };
