/** `/api/v1/profile/passkeys` and `/signin/passkey`: devices that vouch for people, as both factors. */
import type { Passkey } from "../../api/passkeys.ts";
import type { Passkey as StoredPasskey } from "../../control/sign-in/passkey-table.ts";
import { passkeyPlace } from "../access/page-base.ts";
import { attempts, beforeSecondFactor, changes, unaudited } from "../access/route-config.ts";
import { networkOf } from "../access/signin-throttle.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { ownOf } from "./own.ts";
import { attemptOf } from "./profile.ts";
import { beginSession, signInPlace } from "./sign-in.ts";

export function passkeyRoutes(api: ApiScope, parts: ApiParts): void {
  registerRoutes(api, parts);
  keepRoutes(api, parts);
  signInByPasskeyRoutes(api, parts);
}

function registerRoutes(api: ApiScope, parts: ApiParts): void {
  const { throttle, control, publicBase } = parts;

  api.route(
    "POST /profile/passkeys",
    beforeSecondFactor(attempts("profile.write", "passkey.create")),
    async ({ principal, body, protocol, headers }) => {
      const place = passkeyPlace({ protocol, headers }, publicBase);
      const attempt = attemptOf(principal);
      if (body.password !== undefined) throttle.begin(attempt);
      const own = ownOf({ principal });
      const options = await control.ownPasskeys.begin(own, place, body.password);
      if (body.password !== undefined) throttle.succeeded(attempt);
      return options;
    },
  );

  api.route(
    "POST /profile/passkeys/confirm",
    beforeSecondFactor(changes("profile.write", "passkey.create")),
    async ({ principal, body }) => {
      const { passkey, recoveryCodes } = await control.ownPasskeys.confirm(
        ownOf({ principal }),
        { ...body.answer, clientExtensionResults: {} },
        body.name,
      );
      return { ...described(passkey), recovery_codes: [...recoveryCodes] };
    },
  );
}

function keepRoutes(api: ApiScope, { control, throttle }: ApiParts): void {
  api.route("GET /profile/passkeys", unaudited("profile.read"), (request) => ({
    items: control.ownPasskeys.table.list(ownOf(request).userId).map(described),
  }));

  api.route(
    "PATCH /profile/passkeys/{id}",
    changes("profile.write", "passkey.update"),
    async ({ principal, params, body }) =>
      described(await control.ownPasskeys.rename(ownOf({ principal }), params.id, body.name)),
  );

  api.route(
    "POST /profile/passkeys/{id}/remove",
    changes("profile.write", "passkey.delete"),
    async ({ principal, params, body }) => {
      const attempt = attemptOf(principal);
      if (body.password !== undefined) throttle.begin(attempt);
      const own = ownOf({ principal });
      const passkey = await control.ownPasskeys.remove(own, params.id, body.password);
      if (body.password !== undefined) throttle.succeeded(attempt);
      return described(passkey);
    },
  );
}

function signInByPasskeyRoutes(api: ApiScope, parts: ApiParts): void {
  const { control, throttle, publicBase } = parts;

  api.route("POST /signin/passkey", { access: "sign-in", audit: "none" }, (request) => {
    const from = networkOf(signInPlace(request).address);
    return control.passkeySignIn.begin(passkeyPlace(request, publicBase), from);
  });

  api.route(
    "POST /signin/passkey/confirm",
    changes("sign-in", "session.create"),
    async (request, reply) => {
      const place = signInPlace(request);
      const attempt = { address: place.address };
      throttle.begin(attempt);
      const answer = { ...request.body.answer, clientExtensionResults: {} };
      const signedIn = await control.passkeySignIn.confirm(answer, place);
      throttle.succeeded(attempt);
      return beginSession(parts, reply, signedIn);
    },
  );
}

function described(passkey: StoredPasskey): Passkey {
  const { id, name, rpId, isBackedUp, createdAtMs, usedAtMs } = passkey;
  return {
    id,
    name,
    for: rpId,
    backed_up: isBackedUp,
    created_at: new Date(createdAtMs).toISOString(),
    used_at: usedAtMs === undefined ? null : new Date(usedAtMs).toISOString(),
  };
}
