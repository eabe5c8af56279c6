/** How a session begins, and the links by which it can. */
import { type Static, Type } from "typebox";
import { Password, Profile, Text } from "./accounts.ts";
import type { RouteTable } from "./route.ts";
import { exact, shownOnce, Time } from "./schema.ts";

export const SignInRequest = Type.Object(
  {
    name: Text,
    password: Text,
    code: Type.Optional(
      Type.String({ maxLength: 64, description: "of the authenticator, or a recovery code" }),
    ),
  },
  exact,
);

export const LinkSignInRequest = Type.Object(
  {
    token: Type.String({ maxLength: 128, description: "what stands after `#signin=`" }),
    name: Text,
    password: Password,
  },
  exact,
);

export const NewLink = Type.Object(
  {
    user: Type.Optional(
      Type.String({
        maxLength: 64,
        description:
          "whom it is for, by name or id; without: the first owner, or any that there is",
      }),
    ),
  },
  exact,
);

export const SignInLink = Type.Object({
  url: shownOnce(Type.String(), "shown once"),
  token: shownOnce(Type.String(), "what stands after `#signin=` in the URL"),
  expires_at: Time,
});
export type SignInLink = Static<typeof SignInLink>;

export const SIGN_IN_ROUTES = {
  "POST /signin": {
    summary: "Begins a session: name, password, and the second factor where there is one",
    body: SignInRequest,
    answer: Profile,
  },
  "POST /signin/link": {
    summary: "Uses a one-time link: sets a password and begins a session",
    body: LinkSignInRequest,
    answer: Profile,
  },
  "POST /signin/links": {
    summary: "Makes a one-time link by which a user sets password and second factor",
    body: NewLink,
    status: 201,
    answer: SignInLink,
  },
  "POST /signout": { summary: "Ends the session that asks", status: 204 },
} as const satisfies RouteTable;
