/** Named values that people choose, and what an owner decides about signing in. */
import { type Static, Type } from "typebox";
import type { RouteTable } from "./route.ts";
import { exact } from "./schema.ts";

/** A whole number within bounds, both inclusive. */
interface NumberSetting {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly summary: string;
}

export const SETTINGS = {
  audit_days: {
    default: 90,
    min: 7,
    max: 3_660,
    unit: "days",
    summary: "how long the audit can be searched; the journal holds it for longer",
  },
} as const satisfies Readonly<Record<string, NumberSetting>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

const Setting = Type.Object({
  name: Type.Enum([...SETTING_NAMES]),
  value: Type.Integer(),
  default: Type.Integer(),
  min: Type.Integer({ description: "inclusive" }),
  max: Type.Integer({ description: "inclusive" }),
  unit: Type.String(),
  summary: Type.String(),
});

export const SettingList = Type.Object({ items: Type.Array(Setting) });
export type SettingList = Static<typeof SettingList>;

const Change = Type.Object(
  Object.fromEntries(
    SETTING_NAMES.map((name) => [
      name,
      Type.Optional(Type.Integer({ description: SETTINGS[name].summary })),
    ]),
  ) as Record<SettingName, ReturnType<typeof optionalInteger>>,
  { ...exact, minProperties: 1 },
);

function optionalInteger() {
  return Type.Optional(Type.Integer());
}

export const SignInSettings = Type.Object(
  {
    second_factor_required: Type.Boolean({
      description: "a session without a second factor may only set one up; default true",
    }),
  },
  exact,
);
export type SignInSettings = Static<typeof SignInSettings>;

export const SETTING_ROUTES = {
  "GET /settings": { summary: "All settings, their bounds and defaults", answer: SettingList },
  "PATCH /settings": {
    summary: "Changes settings by name; what is left out stays",
    body: Change,
    answer: SettingList,
  },
  "GET /settings/signin": { summary: "What signing in takes", answer: SignInSettings },
  "PUT /settings/signin": { summary: "Decides it", body: SignInSettings, answer: SignInSettings },
} as const satisfies RouteTable;
