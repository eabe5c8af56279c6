/** Schemas of who somebody is: users, sessions, tokens, signing in. */
import { Type } from "typebox";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, TOKEN_NAME_CHARS_MAX } from "../control/limits.ts";
import { type Permission, PERMISSIONS, ROLES } from "../control/roles.ts";
import { SECOND_FACTORS, USER_SOURCES } from "../control/user-table.ts";
import { MaybeTime, shownOnce, Time } from "./schemas.ts";

const exact = { additionalProperties: false } as const;

const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[];

/** Longer than any that is allowed, so that the answer can say what is. */
const TEXT_CHARS_MAX = 4 * PASSWORD_CHARS_MAX;
/** A text, or a password as it was typed. */
export const Text = Type.String({ maxLength: TEXT_CHARS_MAX });
const Password = Type.String({
  maxLength: TEXT_CHARS_MAX,
  description: `${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters, and not the user's name`,
});
const Role = Type.Enum([...ROLES]);

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

export const Profile = Type.Object({
  name: Type.String(),
  user_id: Type.Union([Type.String(), Type.Null()], {
    description: "null: the administrator's token, which is no user",
  }),
  role: Role,
  permissions: Type.Array(Type.Enum(PERMISSION_NAMES), {
    description: "what this session or token may",
  }),
  by: Type.Enum(["session", "token", "admin"]),
  session_id: Type.Union([Type.String(), Type.Null()]),
  second_factor: Type.Enum([...SECOND_FACTORS]),
  second_factor_needed: Type.Boolean({
    description: "the session may only set one up: POST /api/v1/profile/totp or /passkeys",
  }),
  recovery_codes_left: Type.Integer(),
});

export const PasswordChange = Type.Object({ old: Text, password: Password }, exact);

export const TotpBegin = Type.Object(
  { password: Type.Optional(Text) },
  { ...exact, description: "the password, where there is a second factor already" },
);
export const TotpBegun = Type.Object({
  secret: Type.String({ description: "base32" }),
  uri: Type.String({ description: "otpauth, as a QR code has it" }),
});
export const TotpConfirm = Type.Object({ code: Type.String({ maxLength: 16 }) }, exact);
export const RecoveryCodes = Type.Object({
  recovery_codes: shownOnce(Type.Array(Type.String()), "shown once; each counts once"),
});

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
