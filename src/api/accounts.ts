/** Who somebody is, and what they change of themselves. */
import { type Static, Type } from "typebox";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN } from "./limits.ts";
import { type Permission, PERMISSIONS, ROLES } from "./roles.ts";
import type { RouteTable } from "./route.ts";
import { exact, shownOnce } from "./schema.ts";

export const SECOND_FACTORS = ["none", "totp", "passkey"] as const;

export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[];

/** Longer than any that is allowed, so that the answer can say what is. */
export const TEXT_CHARS_MAX = 4 * PASSWORD_CHARS_MAX;

/** A text, or a password as it was typed. */
export const Text = Type.String({ maxLength: TEXT_CHARS_MAX });

export const Password = Type.String({
  maxLength: TEXT_CHARS_MAX,
  description: `${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters, and not the user's name`,
});

export const Role = Type.Enum([...ROLES]);

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
export type Profile = Static<typeof Profile>;

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

export const ACCOUNT_ROUTES = {
  "GET /profile": { summary: "Who asks, and what they may", answer: Profile },
  "POST /profile/password": {
    summary: "Sets another password; all sessions of the user end",
    body: PasswordChange,
    status: 204,
  },
  "POST /profile/totp": {
    summary: "Shows a new secret for an authenticator, to be confirmed by its code",
    body: TotpBegin,
    answer: TotpBegun,
  },
  "POST /profile/totp/confirm": {
    summary: "Makes the shown secret the second factor; other sessions of the user end",
    body: TotpConfirm,
    answer: RecoveryCodes,
  },
} as const satisfies RouteTable;
