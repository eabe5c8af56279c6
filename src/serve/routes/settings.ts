/** `/api/v1/settings`: what can be chosen, and what is. */
import { type Static, Type } from "typebox";
import { SETTING_NAMES, SETTINGS, type SettingName } from "../../control/settings.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";

const Setting = Type.Object({
  name: Type.Enum([...SETTING_NAMES]),
  value: Type.Integer(),
  default: Type.Integer(),
  min: Type.Integer({ description: "inclusive" }),
  max: Type.Integer({ description: "inclusive" }),
  unit: Type.String(),
  summary: Type.String(),
});

const List = Type.Object({ items: Type.Array(Setting) });

const Change = Type.Object(
  Object.fromEntries(
    SETTING_NAMES.map((name) => [
      name,
      Type.Optional(Type.Integer({ description: SETTINGS[name].summary })),
    ]),
  ) as Record<SettingName, ReturnType<typeof optionalInteger>>,
  { additionalProperties: false, minProperties: 1 },
);

function optionalInteger() {
  return Type.Optional(Type.Integer());
}

export function settingRoutes(app: Api, { control }: Pick<ApiParts, "control">): void {
  const list = (): Static<typeof List> => {
    const values = control.settings.all();
    return {
      items: SETTING_NAMES.map((name) => ({ name, value: values[name], ...SETTINGS[name] })),
    };
  };

  app.get(
    "/settings",
    {
      config: unaudited("settings.read"),
      schema: { summary: "All settings, their bounds and defaults", response: { 200: List } },
    },
    list,
  );

  app.patch(
    "/settings",
    {
      config: changes("settings.write", "setting.change"),
      schema: {
        summary: "Changes settings by name; what is left out stays",
        body: Change,
        response: { 200: List },
      },
    },
    async ({ body, principal }) => {
      await control.settings.change(body, principalOf({ principal }).who);
      return list();
    },
  );
}
