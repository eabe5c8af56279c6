/** `/api/v1/settings/signin`: what an owner decides about signing in. */
import { type Static, Type } from "typebox";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";

const Settings = Type.Object(
  {
    second_factor_required: Type.Boolean({
      description: "a session without a second factor may only set one up; default true",
    }),
  },
  { additionalProperties: false },
);

export function signInSettingRoutes(app: Api, { control: { signInRules } }: ApiParts): void {
  const shown = (): Static<typeof Settings> => ({
    second_factor_required: signInRules.get().secondFactorRequired,
  });

  app.get(
    "/settings/signin",
    {
      config: unaudited("settings.read"),
      schema: { summary: "What signing in takes", response: { 200: Settings } },
    },
    () => shown(),
  );

  app.put(
    "/settings/signin",
    {
      config: changes("settings.write", "setting.update"),
      schema: { summary: "Decides it", body: Settings, response: { 200: Settings } },
    },
    async ({ body, principal }) => {
      const { who } = principalOf({ principal });
      await signInRules.set({ secondFactorRequired: body.second_factor_required }, who);
      return shown();
    },
  );
}
