/** What an owner decides about signing in. */
import type { DatabaseSync } from "node:sqlite";
import type { ChangeWriter } from "../change-writer.ts";
import type { Who } from "../who.ts";

export interface SignInSettings {
  /** A session without a second factor may only set one up. */
  readonly secondFactorRequired: boolean;
}

const TARGET = { type: "setting", id: "signin", name: "sign-in" } as const;

export class SignInRules {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;

  constructor(database: DatabaseSync, writer: ChangeWriter) {
    this.#database = database;
    this.#writer = writer;
  }

  get(): SignInSettings {
    const row = this.#database.prepare("SELECT * FROM signin_settings").get();
    return { secondFactorRequired: row?.["second_factor_required"] !== 0 };
  }

  /** Throws `control_busy`, `control_failed`. */
  set(settings: SignInSettings, who: Who): Promise<SignInSettings> {
    return this.#writer.change({ who, action: "setting.update", target: TARGET }, () => {
      const before = this.get();
      const { secondFactorRequired } = settings;
      if (before.secondFactorRequired === secondFactorRequired) return { unchanged: before };
      return {
        parts: [{ before: shown(before), after: shown(settings) }],
        effects: [
          {
            do: "update",
            table: "signin_settings",
            key: { only_row: 1 },
            set: { second_factor_required: Number(secondFactorRequired) },
          },
        ],
        answer: () => this.get(),
      };
    });
  }
}

function shown({ secondFactorRequired }: SignInSettings) {
  return { second_factor_required: secondFactorRequired };
}
