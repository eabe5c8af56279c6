/** What can be asked of one kind of rows: its fields, and what a word without a field means there. */

/** One row, by the names of the SQL columns, as the API answers it: times are ISO 8601, UTC. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * - `name` a short text that is compared whole; upper and lower case (of ASCII) count the same
 * - `text` prose: a value is looked for within it, in any case
 * - `choice` one of `values`; where these are `ordered`, `>=` compares their places
 * - `number` whole numbers; `unit` says which endings they may be written with
 * - `time` points in time, whose value is a span as long as it is precise: a date is a whole day
 * - `address` IPv4 and IPv6, single ones and networks
 */
export const FIELD_TYPES = ["name", "text", "choice", "number", "time", "address"] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** For completion and the manual. */
  readonly summary: string;
  /**
   * Of the view; a SQL expression that is `NULL` where the row has no value, and a text unless it is a
   * number or a time. Never holds anything of a request.
   */
  readonly sql: string;
  /** The same from a row; null where it has no value. Numbers for `number`, Unix ms or ISO for `time`. */
  readonly read: (row: Row) => unknown;
  /** `sql` is an array, and `read` gives one: a test passes where one of its elements does. Of a `name` alone. */
  readonly isMany?: true;
  readonly values?: readonly string[];
  /** The values are in their order, from least to most. */
  readonly ordered?: true;
  readonly unit?: "bytes" | "duration";
}

export interface Catalogue {
  /** What the rows are, in the plural, for messages: "connections". */
  readonly rows: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** A name that asks several fields at once: true if one of them fits. */
  readonly groups: ReadonlyMap<string, Group>;
  /** What a word without a field is looked for in, by what it looks like; none: it is looked for as text. */
  readonly bare: {
    readonly text: readonly string[];
    readonly address?: readonly string[];
    readonly number?: readonly string[];
    /** `10.0.0.7:443`: address and port of one end. */
    readonly endpoints?: readonly (readonly [address: string, port: string])[];
  };
}

export interface Group {
  readonly fields: readonly string[];
  readonly summary: string;
}

type FieldSeed = Omit<Field, "name" | "sql" | "read"> & Partial<Pick<Field, "sql" | "read">>;

/** Fields by name; each is the column of that name unless it says otherwise. */
export function fieldsOf(seeds: Readonly<Record<string, FieldSeed>>): ReadonlyMap<string, Field> {
  const entries = Object.entries(seeds).map(([name, seed]): [string, Field] => [
    name,
    { name, sql: name, read: (row) => row[name] ?? null, ...seed },
  ]);
  return new Map(entries);
}
