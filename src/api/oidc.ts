/** Signing in by the OpenID provider, and how it is configured. */
import { type Static, Type } from "typebox";
import { OIDC_GROUP_CHARS_MAX, OIDC_ROLES_MAX } from "./limits.ts";
import { ROLES } from "./roles.ts";
import type { RouteTable } from "./route.ts";
import { exact, Time } from "./schema.ts";

const Label = Type.String({
  minLength: 1,
  maxLength: 64,
  // Nothing that hides or turns what stands beside it.
  pattern:
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]+$",
  description: "of the button",
});

const Scope = Type.String({ maxLength: 128, pattern: "^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$" });

const GroupRole = Type.Object(
  {
    group: Type.String({ minLength: 1, maxLength: OIDC_GROUP_CHARS_MAX }),
    role: Type.Enum([...ROLES]),
  },
  exact,
);

export const OidcSettingsRequest = Type.Object(
  {
    issuer: Type.String({
      maxLength: 512,
      description: "the provider's address: https, or http on the server's own machine",
    }),
    client_id: Type.String({ minLength: 1, maxLength: 256 }),
    client_secret: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_024,
        description: "without: the one before stays, where issuer and client are the same",
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Scope, { maxItems: 32, description: "default: profile, groups; openid always" }),
    ),
    groups_claim: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: "of the ID token; default: groups",
      }),
    ),
    roles: Type.Array(GroupRole, {
      minItems: 1,
      maxItems: OIDC_ROLES_MAX,
      description: "the highest counts; who is in none of these groups is not let in",
    }),
    label: Type.Optional(Label),
  },
  exact,
);
export type OidcSettingsRequest = Static<typeof OidcSettingsRequest>;

export const OidcSettings = Type.Object({
  redirect_uri: Type.String({ description: "to be registered with the provider" }),
  settings: Type.Union([
    Type.Null(),
    Type.Object({
      issuer: Type.String(),
      client_id: Type.String(),
      scopes: Type.Array(Type.String()),
      groups_claim: Type.String(),
      roles: Type.Array(GroupRole),
      label: Type.String(),
      keys: Type.Array(Type.String(), { description: "by which the provider signs" }),
      fetched_at: Time,
    }),
  ]),
});
export type OidcSettings = Static<typeof OidcSettings>;

/** A path within the console: segments that are names, no other host's and none of the API's. */
export const OidcBegin = Type.Object({
  next: Type.Optional(
    Type.String({
      maxLength: 512,
      pattern:
        "^/(?!api/|ingest/)(?:[A-Za-z0-9_-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._~-]*)*/?)?(?:\\?[A-Za-z0-9._~%=&:+,-]*)?(?:#[A-Za-z0-9._~%=&:+,/-]*)?$",
      description: "where to go then, a path within the console; default: /",
    }),
  ),
});

export const SignInMethods = Type.Object({
  password: Type.Boolean(),
  passkey: Type.Boolean({ description: "under this name of the server" }),
  oidc: Type.Union([Type.Null(), Type.Object({ label: Type.String() })]),
});

export const OIDC_ROUTES = {
  "GET /signin/oidc/settings": { summary: "The OpenID provider, if any", answer: OidcSettings },
  "PUT /signin/oidc/settings": {
    summary: "Lets people sign in by an OpenID provider; fetches what it says of itself",
    body: OidcSettingsRequest,
    answer: OidcSettings,
  },
  "POST /signin/oidc/settings/refresh": {
    summary: "Fetches the provider's addresses and keys anew",
    answer: OidcSettings,
  },
  "DELETE /signin/oidc/settings": {
    summary: "Lets nobody sign in by the provider any more; sessions that it began end",
    status: 204,
  },
  "GET /signin/methods": { summary: "How people can sign in here", answer: SignInMethods },
  "GET /signin/oidc": { summary: "Sends the browser to the OpenID provider", query: OidcBegin },
  "GET /signin/oidc/callback": {
    summary: "Where the provider sends the browser back to: begins a session",
  },
} as const satisfies RouteTable;
