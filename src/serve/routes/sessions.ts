/** `/api/v1/sessions`: who is signed in; one's own, and for an owner everybody's. */
import { type Static, Type } from "typebox";
import type { Session as StoredSession } from "../../control/sign-in/session-table.ts";
import { Session } from "../../api/users.ts";
import { principalOf } from "../access/guard.ts";
import type { Principal } from "../access/principal.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { isTheirs, listedUser } from "./own.ts";

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

export function sessionRoutes(app: Api, { control }: ApiParts): void {
  const describe = (session: StoredSession, principal: Principal): Static<typeof Session> => ({
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

  app.get(
    "/sessions",
    {
      config: unaudited("profile.read"),
      schema: {
        summary: "Sessions that could be used, newest first: one's own, and for an owner all",
        response: { 200: Type.Object({ items: Type.Array(Session) }) },
      },
    },
    (request) => {
      const principal = principalOf(request);
      const listed = control.sessions.list(listedUser(request));
      return { items: listed.map((session) => describe(session, principal)) };
    },
  );

  app.delete(
    "/sessions/:id",
    {
      config: changes("profile.write", "session.end"),
      schema: {
        summary: "Ends a session, with its streams and queries",
        params: Id,
        response: { 200: Session },
      },
    },
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
