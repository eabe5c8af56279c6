/** `/api/v1/users`: who may sign in, and as what. */
import type { User } from "../../api/users.ts";
import { secondFactorOf, type User as StoredUser } from "../../control/user-table.ts";
import type { Who } from "../../control/who.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { ApiScope } from "../api-scope.ts";
import type { ApiParts } from "../api.ts";
import { describeLink } from "./sign-in.ts";

export function userRoutes(api: ApiScope, parts: ApiParts): void {
  const { users } = parts.control;

  api.route("GET /users", unaudited("users.read"), () => ({
    items: users.table.list().map(describeUser),
  }));

  api.route("POST /users", changes("users.write", "user.create"), async (request) => {
    const { user, link } = await users.create(request.body, principalOf(request).who);
    return { ...describeUser(user), link: describeLink(parts, link) };
  });

  api.route(
    "POST /users/{id}/role",
    changes("users.write", "user.set_role"),
    async ({ principal, params, body }) => {
      const { who } = principalOf({ principal });
      return describeUser(await users.setRole(params.id, body.role, who));
    },
  );

  const act = (name: ActionRoute, action: string, run: Action) =>
    api.route(name, changes("users.write", `user.${action}`), async (request) =>
      describeUser(await run(request.params.id, principalOf(request).who)),
    );
  act("POST /users/{id}/disable", "disable", (id, who) => users.disable(id, who));
  act("POST /users/{id}/enable", "enable", (id, who) => users.enable(id, who));
  act("POST /users/{id}/reset-second-factor", "reset_second_factor", (id, who) =>
    users.resetSecondFactor(id, who),
  );

  api.route(
    "DELETE /users/{id}",
    changes("users.write", "user.delete"),
    async ({ principal, params }) =>
      describeUser(await users.delete(params.id, principalOf({ principal }).who)),
  );
}

type Action = (id: string, who: Who) => Promise<StoredUser>;
type ActionRoute = `POST /users/{id}/${"disable" | "enable" | "reset-second-factor"}`;

export function describeUser(user: StoredUser): User {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    source: user.source,
    enabled: user.disabledAtMs === undefined,
    has_password: user.passwordHash !== undefined,
    second_factor: secondFactorOf(user),
    created_at: new Date(user.createdAtMs).toISOString(),
    created_by: user.createdBy,
  };
}
