/** Who may sign in, and as what; and who has. */
import { type Static, Type } from "typebox";
import { Role, SECOND_FACTORS, Text } from "./accounts.ts";
import type { RouteTable } from "./route.ts";
import { exact, Time } from "./schema.ts";
import { SignInLink } from "./sign-in.ts";

export const USER_SOURCES = ["local", "oidc"] as const;
export type UserSource = (typeof USER_SOURCES)[number];

export const User = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Role,
  source: Type.Enum([...USER_SOURCES], { description: "oidc: the OpenID provider vouches" }),
  enabled: Type.Boolean(),
  has_password: Type.Boolean({ description: "false: the sign-in link was not used yet" }),
  second_factor: Type.Enum([...SECOND_FACTORS]),
  created_at: Time,
  created_by: Type.String(),
});
export type User = Static<typeof User>;

export const NewUser = Type.Object({ name: Text, role: Role }, exact);

export const CreatedUser = Type.Interface([User], { link: SignInLink });

export const RoleChange = Type.Object({ role: Role }, exact);

export const Session = Type.Object({
  id: Type.String(),
  user: Type.String(),
  own: Type.Boolean(),
  current: Type.Boolean({ description: "the one that asks" }),
  created_at: Time,
  seen_at: Type.String({ description: "to five minutes" }),
  expires_at: Time,
  address: Type.String({ description: "where it began" }),
  agent: Type.String({ description: "what the program called itself" }),
  second_factor: Type.Boolean(),
});
export type Session = Static<typeof Session>;

const SessionId = Type.Object({ id: Type.String({ maxLength: 64 }) });
const Id = Type.Object({ id: Type.String({ maxLength: 64, description: "its name or id" }) });

export const USER_ROUTES = {
  "GET /sessions": {
    summary: "Sessions that could be used, newest first: one's own, and for an owner all",
    answer: Type.Object({ items: Type.Array(Session) }),
  },
  "DELETE /sessions/{id}": {
    summary: "Ends a session, with its streams and queries",
    params: SessionId,
    answer: Session,
  },
  "GET /users": { summary: "All users, by name", answer: Type.Object({ items: Type.Array(User) }) },
  "POST /users": {
    summary: "Makes a user, and the one-time link by which they set a password",
    body: NewUser,
    status: 201,
    answer: CreatedUser,
  },
  "POST /users/{id}/role": {
    summary: "Gives a user another role; their sessions end",
    params: Id,
    body: RoleChange,
    answer: User,
  },
  "POST /users/{id}/disable": {
    summary: "Lets a user in no more; their sessions end, their tokens do not count",
    params: Id,
    answer: User,
  },
  "POST /users/{id}/enable": { summary: "Lets a user in again", params: Id, answer: User },
  "POST /users/{id}/reset-second-factor": {
    summary: "Takes the second factor away; the user sets up another at the next sign-in",
    params: Id,
    answer: User,
  },
  "DELETE /users/{id}": {
    summary:
      "Deletes a user with sessions, tokens and private views; what they did stays in the audit",
    params: Id,
    answer: User,
  },
} as const satisfies RouteTable;
