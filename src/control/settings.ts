/** Named values that people choose. What nobody chose has its default; each change stands in the audit. */
import type { DatabaseSync } from "node:sqlite";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../api/settings.ts";
import type { ChangeWriter, Part } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import type { Effect } from "./effect.ts";
import type { Who } from "./who.ts";

/** By name; what is absent stays. */
export type SettingChanges = { readonly [Name in SettingName]?: number };

export type SettingValues = { readonly [Name in SettingName]: number };

export class Settings {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;

  constructor(database: DatabaseSync, writer: ChangeWriter) {
    this.#database = database;
    this.#writer = writer;
  }

  get(name: SettingName): number {
    return this.#chosen(name) ?? SETTINGS[name].default;
  }

  all(): SettingValues {
    return Object.fromEntries(SETTING_NAMES.map((name) => [name, this.get(name)])) as SettingValues;
  }

  /** All of them or none, as one operation. Throws `bad_setting`, `control_busy`, `control_failed`. */
  change(changes: SettingChanges, who: Who): Promise<SettingValues> {
    const asked = Object.entries(changes) as [SettingName, number][];
    const [only] = asked;
    const id = asked.length === 1 && only !== undefined ? only[0] : "";
    const target = { type: "setting", id, name: id };
    return this.#writer.change({ who, action: "setting.change", target }, () => {
      for (const [name, value] of asked) check(name, value);
      const changed = asked.filter(([name, value]) => value !== this.get(name));
      if (changed.length === 0) return { unchanged: this.all() };
      return {
        parts: changed.map((change) => this.#part(change)),
        effects: changed.map((change) => this.#effect(change)),
        answer: () => this.all(),
      };
    });
  }

  #part([name, value]: [SettingName, number]): Part {
    return {
      target: { type: "setting", id: name, name },
      before: { [name]: this.get(name) },
      after: { [name]: value },
    };
  }

  #effect([name, value]: [SettingName, number]): Effect {
    if (this.#chosen(name) === undefined)
      return { do: "insert", table: "settings", row: { name, value } };
    return { do: "update", table: "settings", key: { name }, set: { value } };
  }

  #chosen(name: SettingName): number | undefined {
    const row = this.#database.prepare("SELECT value FROM settings WHERE name = ?").get(name);
    return row === undefined ? undefined : Number(row["value"]);
  }
}

function check(name: SettingName, value: number): void {
  const { min, max, unit } = SETTINGS[name];
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new ControlError("bad_setting", `${name} is ${min} to ${max} ${unit}, not ${value}`);
}
