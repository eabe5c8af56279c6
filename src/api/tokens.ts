/** API tokens. The text of a token is shown once, when it is made. */
import { type Static, Type } from "typebox";
import { PERMISSION_NAMES, TEXT_CHARS_MAX } from "./accounts.ts";
import { TOKEN_NAME_CHARS_MAX } from "./limits.ts";
import type { RouteTable } from "./route.ts";
import { exact, MaybeTime, shownOnce, Time } from "./schema.ts";

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
export type Token = Static<typeof Token>;

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

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

export const TOKEN_ROUTES = {
  "POST /tokens": {
    summary: "Makes an API token that may no more than who makes it",
    body: NewToken,
    status: 201,
    answer: CreatedToken,
  },
  "GET /tokens": {
    summary: "API tokens, newest first: one's own, and for an owner all",
    answer: Type.Object({ items: Type.Array(Token) }),
  },
  "DELETE /tokens/{id}": {
    summary: "Revokes a token and those that it made, with their streams and queries",
    params: Id,
    answer: Token,
  },
} as const satisfies RouteTable;
