/**
 * What a change does to the tables, as data: it is staged, secrets included, before its entry is
 * journaled, and applied afterwards; perhaps by the next start.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";

type Value = string | number | null;
type Values = Readonly<Record<string, Value>>;

/** All of the code's own making: a request's words stand in values alone. */
export type Effect =
  | { readonly do: "insert"; readonly table: string; readonly row: Values }
  | { readonly do: "update"; readonly table: string; readonly key: Values; readonly set: Values }
  | { readonly do: "delete"; readonly table: string; readonly key: Values };

export function applyEffect(database: DatabaseSync, effect: Effect): void {
  const { text, values } = statementOf(effect);
  database.prepare(text).run(...values);
}

interface Statement {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

function statementOf(effect: Effect): Statement {
  const table = name(effect.table);
  switch (effect.do) {
    case "insert": {
      const columns = Object.keys(effect.row).map(name);
      const places = columns.map(() => "?").join(", ");
      const text = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`;
      return { text, values: Object.values(effect.row) };
    }
    case "update": {
      const set = Object.keys(effect.set).map((column) => `${name(column)} = ?`);
      const text = `UPDATE ${table} SET ${set.join(", ")} WHERE ${whereOf(effect.key)}`;
      return { text, values: [...Object.values(effect.set), ...Object.values(effect.key)] };
    }
    default: {
      const text = `DELETE FROM ${table} WHERE ${whereOf(effect.key)}`;
      return { text, values: Object.values(effect.key) };
    }
  }
}

/** Without a key it would mean every row. */
function whereOf(key: Values): string {
  const columns = Object.keys(key);
  if (columns.length === 0) throw new Error("an effect names no row");
  return columns.map((column) => `${name(column)} = ?`).join(" AND ");
}

/** A second lock on the door: names come from the code, and look like it. */
function name(text: string): string {
  if (/^[a-z][a-z_]*$/.test(text)) return text;
  throw new Error(`${JSON.stringify(text)} is no name of a table or column`);
}
