/** `/api/v1/sessions`: who is signed in; one's own, and for an owner everybody's. */
import type { Session } from "../../api/users.ts";
import type { Session as StoredSession } from "../../control/sign-in/session-table.ts";
import { principalOf } from "../access/guard.ts";
import type { Principal } from "../access/principal.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { isTheirs, listedUser } from "./own.ts";

export function sessionRoutes(api: ApiScope, { control }: ApiParts): void {
  const describe = (session: StoredSession, principal: Principal): Session => ({
    id: session.id,
    user: control.users.table.get(session.userId)?.name ?? "",
    own: session.userId === principal.user?.id,
    current: principal.by === "session" && session.id === principal.session,
    created_at: time(session.createdAtMs),
    seen_at: time(session.seenAtMs),
    expires_at: time(session.expiresAtMs),
    address: session.address,
    agent: session.agent,
    second_factor: session.secondFactor,
  });

  api.route("GET /sessions", unaudited("profile.read"), (request) => {
    const principal = principalOf(request);
    const listed = control.sessions.list(listedUser(request));
    return { items: listed.map((session) => describe(session, principal)) };
  });

  api.route(
    "DELETE /sessions/{id}",
    changes("profile.write", "session.end"),
    async ({ principal, params: { id } }) => {
      const asking = principalOf({ principal });
      const mayEnd = ({ userId }: StoredSession) => isTheirs({ principal }, userId);
      return describe(await control.sessions.end(id, asking.who, mayEnd), asking);
    },
  );
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}
