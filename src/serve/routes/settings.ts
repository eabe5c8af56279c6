/** `/api/v1/settings`: what can be chosen, and what is. */
import { SETTING_NAMES, type SettingList, SETTINGS } from "../../api/settings.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";

export function settingRoutes(api: ApiScope, { control }: Pick<ApiParts, "control">): void {
  const list = (): SettingList => {
    const values = control.settings.all();
    return {
      items: SETTING_NAMES.map((name) => ({ name, value: values[name], ...SETTINGS[name] })),
    };
  };

  api.route("GET /settings", unaudited("settings.read"), list);

  api.route(
    "PATCH /settings",
    changes("settings.write", "setting.change"),
    async ({ body, principal }) => {
      await control.settings.change(body, principalOf({ principal }).who);
      return list();
    },
  );
}
