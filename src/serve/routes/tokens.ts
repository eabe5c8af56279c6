/** `/api/v1/tokens`: API tokens. The text of a token is shown once, when it is made. */
import type { Token } from "../../api/tokens.ts";
import type { ApiToken } from "../../control/token-table.ts";
import { parseTime } from "../../std/duration.ts";
import { principalOf, requirePermission } from "../access/guard.ts";
import type { Principal } from "../access/principal.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { ServeError } from "../serve-error.ts";
import { isTheirs, listedUser, userOf } from "./own.ts";

export function tokenRoutes(api: ApiScope, { control, clock }: ApiParts): void {
  const describe = (token: ApiToken, principal: Principal): Token => ({
    id: token.id,
    name: token.name,
    user: control.users.table.get(token.userId)?.name ?? "",
    own: token.userId === principal.user?.id,
    state: control.tokens.stateOf(token),
    scopes: token.scopes === undefined ? null : [...token.scopes],
    created_at: time(token.createdAtMs),
    expires_at: time(token.expiresAtMs),
    used_at: token.usedAtMs === undefined ? null : time(token.usedAtMs),
    revoked_at: token.revokedAtMs === undefined ? null : time(token.revokedAtMs),
  });

  api.route("POST /tokens", changes("profile.write", "token.create"), async (request) => {
    const { name, scopes, expires_at: expiresAt } = request.body;
    const principal = principalOf(request);
    const { who, token: by } = principal;
    const { id: userId } = userOf(request);
    const made = await control.tokens.create(
      {
        name,
        ...(scopes === undefined ? {} : { scopes }),
        ...(expiresAt === undefined ? {} : { expiresAtMs: timeOf(expiresAt, clock.nowMs()) }),
      },
      { userId, who, ...(by === undefined ? {} : { token: by }) },
    );
    return { ...describe(made.token, principal), token: made.text };
  });

  api.route("GET /tokens", unaudited("profile.read"), (request) => {
    const principal = principalOf(request);
    const listed = control.tokens.list(listedUser(request));
    return { items: listed.map((token) => describe(token, principal)) };
  });

  // A token may end itself, whatever else it may.
  api.route(
    "DELETE /tokens/{id}",
    changes("self", "token.revoke"),
    async ({ principal, params: { id } }) => {
      const asking = principalOf({ principal });
      if (asking.token?.id !== id) requirePermission(asking, "profile.write");
      const mayRevoke = ({ userId }: ApiToken) => isTheirs({ principal }, userId);
      return describe(await control.tokens.revoke(id, asking.who, mayRevoke), asking);
    },
  );
}

/** Throws `bad_request`. */
function timeOf(text: string, nowMs: number): number {
  const atMs = /^\d{4}-/.test(text) ? parseTime(text, nowMs) : undefined;
  if (atMs !== undefined) return atMs;
  throw new ServeError("bad_request", "body expires_at: is no time, write 2026-03-01T08:30Z");
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}
