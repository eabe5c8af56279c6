/** An answer as it may be kept: what is shown once is null in it. */
import { SHOWN_ONCE } from "../../api/schema.ts";

interface Described {
  readonly [SHOWN_ONCE]?: boolean;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly allOf?: readonly Described[];
  readonly items?: Described;
}

export interface Kept {
  readonly value: unknown;
  /** Something was left out. */
  readonly isReduced: boolean;
}

/** `schema` is the one that describes the value. */
export function withoutSecrets(value: unknown, schema: unknown): Kept {
  const described = (schema ?? {}) as Described;
  if (described[SHOWN_ONCE] === true) return { value: null, isReduced: true };
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => withoutSecrets(item, described.items));
    return { value: items.map((item) => item.value), isReduced: items.some(isReduced) };
  }
  if (typeof value !== "object" || value === null) return { value, isReduced: false };
  const properties = propertiesOf(described);
  const kept = Object.entries(value).map(
    ([name, each]) => [name, withoutSecrets(each, properties[name])] as const,
  );
  return {
    value: Object.fromEntries(kept.map(([name, each]) => [name, each.value])),
    isReduced: kept.some(([, each]) => each.isReduced),
  };
}

const isReduced = (kept: Kept) => kept.isReduced;

function propertiesOf({ properties, allOf = [] }: Described): Record<string, Described> {
  return Object.assign({}, ...allOf.map(propertiesOf), properties) as Record<string, Described>;
}
