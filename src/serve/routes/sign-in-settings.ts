/** `/api/v1/settings/signin`: what an owner decides about signing in. */
import type { SignInSettings } from "../../api/settings.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";

export function signInSettingRoutes(api: ApiScope, { control: { signInRules } }: ApiParts): void {
  const shown = (): SignInSettings => ({
    second_factor_required: signInRules.get().secondFactorRequired,
  });

  api.route("GET /settings/signin", unaudited("settings.read"), () => shown());

  api.route(
    "PUT /settings/signin",
    changes("settings.write", "setting.update"),
    async ({ body, principal }) => {
      const { who } = principalOf({ principal });
      await signInRules.set({ secondFactorRequired: body.second_factor_required }, who);
      return shown();
    },
  );
}
