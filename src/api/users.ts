/** Who may sign in, and as what; and who has. */
import { Type } from "typebox";
import { SECOND_FACTORS } from "./accounts.ts";
import { Role, Text } from "./accounts.ts";
import { Time, exact } from "./schema.ts";
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
