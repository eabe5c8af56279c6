/** How a session begins, and the links by which it can. */
import { Type } from "typebox";
import { Password, Text } from "./accounts.ts";
import { Time, exact, shownOnce } from "./schema.ts";

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
