/** A finding's id as it comes in a path. */
import { ServeError } from "../serve-error.ts";

/** Throws `unknown_finding` for what cannot be one. */
export function checkFindingId(id: string): string {
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  throw new ServeError("unknown_finding", `${id.slice(0, 64)} is no id: one has 32 hex digits`);
}
