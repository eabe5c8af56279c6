/** `/api/v1/profile`: who asks, and what they change of themselves. */
import type { Profile } from "../../api/accounts.ts";
import { permissionsOf } from "../../api/roles.ts";
import { secondFactorOf, type User } from "../../control/user-table.ts";
import { principalOf } from "../access/guard.ts";
import { mayPrincipal, type Principal } from "../access/principal.ts";
import { attempts, beforeSecondFactor, changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { ownOf } from "./own.ts";

export function profileRoutes(api: ApiScope, parts: ApiParts): void {
  const { control, throttle, cookie } = parts;

  api.route("GET /profile", beforeSecondFactor(unaudited("self")), (request) => {
    const principal = principalOf(request);
    const { user } = principal;
    return profileOf(parts, {
      ...principal,
      name: user?.name ?? principal.who.actor.name,
      user: user === undefined ? undefined : control.users.find(user.id),
    });
  });

  api.route(
    "POST /profile/password",
    changes("profile.write", "user.set_password"),
    async (request, reply) => {
      const own = ownOf(request);
      const attempt = attemptOf(request.principal);
      throttle.begin(attempt);
      await control.ownCredentials.setPassword(own, request.body.old, request.body.password);
      throttle.succeeded(attempt);
      cookie.clear(reply);
    },
  );

  api.route(
    "POST /profile/totp",
    beforeSecondFactor(attempts("profile.write", "user.set_second_factor")),
    async ({ principal, body }) => {
      const own = ownOf({ principal });
      const attempt = attemptOf(principal);
      // Where nothing is proved, nothing is counted, and above all nothing forgiven.
      const isProof = control.ownCredentials.isPasswordAsked(own);
      if (isProof) throttle.begin(attempt);
      const begun = await control.ownCredentials.beginTotp(own, body.password);
      if (isProof) throttle.succeeded(attempt);
      return begun;
    },
  );

  api.route(
    "POST /profile/totp/confirm",
    beforeSecondFactor(changes("profile.write", "user.set_second_factor")),
    async ({ principal, body }) => {
      const codes = await control.ownCredentials.confirmTotp(ownOf({ principal }), body.code);
      return { recovery_codes: [...codes] };
    },
  );
}

type Asking = Pick<Principal, "role" | "by" | "session" | "scopes" | "needsSecondFactor"> & {
  readonly name: string;
  readonly user: User | undefined;
};

export function profileOf({ control }: Pick<ApiParts, "control">, asking: Asking): Profile {
  const { name, user, role, by, session, needsSecondFactor = false } = asking;
  const may = permissionsOf(role).filter((each) => mayPrincipal(asking, each));
  return {
    name,
    user_id: user?.id ?? null,
    role,
    permissions: needsSecondFactor ? [] : may,
    by,
    session_id: by === "session" ? session : null,
    second_factor: user === undefined ? "none" : secondFactorOf(user),
    second_factor_needed: needsSecondFactor,
    recovery_codes_left: user === undefined ? 0 : control.users.table.countRecoveryCodes(user.id),
  };
}

/** Whoever found an open session must not guess the password in it. */
export function attemptOf(principal: Principal | undefined) {
  return { name: principal?.user?.name ?? "", address: principal?.who.address ?? "" };
}
