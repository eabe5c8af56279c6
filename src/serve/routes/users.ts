/** `/api/v1/users`: who may sign in, and as what. */
import { type Static, Type } from "typebox";
import { secondFactorOf, type User as StoredUser } from "../../control/user-table.ts";
import type { Who } from "../../control/who.ts";
import { CreatedUser, NewUser, RoleChange, User } from "../../api/users.ts";
import { principalOf } from "../access/guard.ts";
import { changes, unaudited } from "../access/route-config.ts";
import type { Api, ApiParts } from "../api.ts";
import { describeLink } from "./sign-in.ts";

const Id = Type.Object({ id: Type.String({ maxLength: 64, description: "its name or id" }) });

export function userRoutes(app: Api, parts: ApiParts): void {
  const { users } = parts.control;

  app.get(
    "/users",
    {
      config: unaudited("users.read"),
      schema: {
        summary: "All users, by name",
        response: { 200: Type.Object({ items: Type.Array(User) }) },
      },
    },
    () => ({ items: users.table.list().map(describeUser) }),
  );

  app.post(
    "/users",
    {
      config: changes("users.write", "user.create"),
      schema: {
        summary: "Makes a user, and the one-time link by which they set a password",
        body: NewUser,
        response: { 201: CreatedUser },
      },
    },
    async (request, reply) => {
      const { user, link } = await users.create(request.body, principalOf(request).who);
      reply.code(201);
      return { ...describeUser(user), link: describeLink(parts, link) };
    },
  );

  app.post(
    "/users/:id/role",
    {
      config: changes("users.write", "user.set_role"),
      schema: {
        summary: "Gives a user another role; their sessions end",
        params: Id,
        body: RoleChange,
        response: { 200: User },
      },
    },
    async ({ principal, params, body }) => {
      const { who } = principalOf({ principal });
      return describeUser(await users.setRole(params.id, body.role, who));
    },
  );

  for (const [action, [summary, run]] of Object.entries(actionsOf(parts))) {
    app.post(
      `/users/:id/${action.replaceAll("_", "-")}`,
      {
        config: changes("users.write", `user.${action}`),
        schema: { summary, params: Id, response: { 200: User } },
      },
      async (request) => describeUser(await run(request.params.id, principalOf(request).who)),
    );
  }

  app.delete(
    "/users/:id",
    {
      config: changes("users.write", "user.delete"),
      schema: {
        summary:
          "Deletes a user with sessions, tokens and private views; what they did stays in the audit",
        params: Id,
        response: { 200: User },
      },
    },
    async ({ principal, params }) =>
      describeUser(await users.delete(params.id, principalOf({ principal }).who)),
  );
}

type Action = readonly [summary: string, run: (id: string, who: Who) => Promise<StoredUser>];

function actionsOf({ control: { users } }: ApiParts): Readonly<Record<string, Action>> {
  return {
    disable: [
      "Lets a user in no more; their sessions end, their tokens do not count",
      (id, who) => users.disable(id, who),
    ],
    enable: ["Lets a user in again", (id, who) => users.enable(id, who)],
    reset_second_factor: [
      "Takes the second factor away; the user sets up another at the next sign-in",
      (id, who) => users.resetSecondFactor(id, who),
    ],
  };
}

export function describeUser(user: StoredUser): Static<typeof User> {
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
