/** What schemas of several subjects share. Names are those of the SQL columns. */
import { type TSchema, Type } from "typebox";

/** Who sends another field is told so. */
export const exact = { additionalProperties: false } as const;

export const Time = Type.String({ description: "ISO 8601, UTC, milliseconds" });

export const MaybeTime = Type.Union([Time, Type.Null()]);

/** A secret that is shown when it is made and never again: an answer that is repeated has null in its place. */
export function shownOnce<S extends TSchema>(schema: S, description: string) {
  return Type.Union([schema, Type.Null()], { description, [SHOWN_ONCE]: true });
}

/** Stands in a schema beside what no repeated answer has. */
export const SHOWN_ONCE = "x-shown-once";
