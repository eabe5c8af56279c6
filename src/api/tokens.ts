/** API tokens. The text of a token is shown once, when it is made. */
import { Type } from "typebox";
import { PERMISSION_NAMES, TEXT_CHARS_MAX } from "./accounts.ts";
import { TOKEN_NAME_CHARS_MAX } from "./limits.ts";
import { MaybeTime, Time, exact, shownOnce } from "./schema.ts";

export const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  user: Type.String(),
  own: Type.Boolean(),
  state: Type.Enum(["usable", "expired", "revoked"]),
  scopes: Type.Union([Type.Null(), Type.Array(Type.Enum(PERMISSION_NAMES))], {
    description: "null: all that the user's role may",
  }),
  created_at: Time,
  expires_at: Time,
  used_at: Type.Union([Time, Type.Null()], { description: "to five minutes" }),
  revoked_at: MaybeTime,
});

export const NewToken = Type.Object(
  {
    name: Type.String({
      maxLength: TEXT_CHARS_MAX,
      description: `what it is for; ${TOKEN_NAME_CHARS_MAX} characters at most`,
    }),
    scopes: Type.Optional(Type.Array(Type.Enum(PERMISSION_NAMES), { minItems: 1, maxItems: 64 })),
    expires_at: Type.Optional(
      Type.String({
        maxLength: 40,
        description: "ISO 8601, at most 366 days away; default: in 90 days",
      }),
    ),
  },
  exact,
);

export const CreatedToken = Type.Interface([Token], {
  token: shownOnce(Type.String(), "for `Authorization: Bearer`; shown once"),
});
