/** What of a thing is different after a change: properties by name, as people see them. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { PropertyChange } from "../format/entry.ts";
import { isChangedValue } from "../format/entry-object.ts";

/** Properties that may stand in an audit entry: never a secret, nor the hash of one. */
export type Shown = Readonly<Record<string, unknown>>;

/** In the order of the names in `after`, then of those that are gone. A property that is absent or undefined was or is not there. */
export function propertyChanges(before: Shown, after: Shown): PropertyChange[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((property): PropertyChange[] => {
    const old = shown(before[property]);
    const changed = shown(after[property]);
    return isDeepStrictEqual(old, changed) ? [] : [{ property, old, new: changed }];
  });
}

/** What is too long or too deep for an entry is named by its hash, so that two of them can still be told apart. */
function shown(value: unknown): unknown {
  if (value === undefined) return null;
  if (isChangedValue(value)) return value;
  const json = JSON.stringify(value);
  const hash = createHash("sha256").update(json).digest("hex");
  return `${json.length} characters of JSON, SHA-256 ${hash}`;
}
