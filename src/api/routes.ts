/** Every route of the public API, below `/api/v1`; by subject. */
import { type Static, type TSchema, Type } from "typebox";
import { ACCOUNT_ROUTES } from "./accounts.ts";
import { AUDIT_ROUTES } from "./audit.ts";
import { CONNECTION_ROUTES } from "./connections.ts";
import { EVENT_ROUTES } from "./events.ts";
import { FIELD_ROUTES } from "./fields.ts";
import { FINDING_ROUTES } from "./findings.ts";
import { KEY_ROUTES } from "./keys.ts";
import { NODE_ROUTES } from "./nodes.ts";
import { OIDC_ROUTES } from "./oidc.ts";
import { PASSKEY_ROUTES } from "./passkeys.ts";
import { PRUNE_ROUTES } from "./prune.ts";
import type { RouteTable } from "./route.ts";
import { SETTING_ROUTES } from "./settings.ts";
import { SIGN_IN_ROUTES } from "./sign-in.ts";
import { SQL_ROUTES } from "./sql.ts";
import { STATUS_ROUTES } from "./status.ts";
import { TOKEN_ROUTES } from "./tokens.ts";
import { USER_ROUTES } from "./users.ts";
import { VIEW_ROUTES } from "./views.ts";
import { WEBHOOK_ROUTES } from "./webhook.ts";

const DESCRIPTION_ROUTES = {
  "GET /openapi.json": {
    summary: "This description",
    answer: Type.Record(Type.String(), Type.Unknown()),
  },
} as const satisfies RouteTable;

export const ROUTES = {
  ...ACCOUNT_ROUTES,
  ...AUDIT_ROUTES,
  ...CONNECTION_ROUTES,
  ...EVENT_ROUTES,
  ...FIELD_ROUTES,
  ...FINDING_ROUTES,
  ...KEY_ROUTES,
  ...NODE_ROUTES,
  ...OIDC_ROUTES,
  ...PASSKEY_ROUTES,
  ...PRUNE_ROUTES,
  ...SETTING_ROUTES,
  ...SIGN_IN_ROUTES,
  ...SQL_ROUTES,
  ...STATUS_ROUTES,
  ...TOKEN_ROUTES,
  ...USER_ROUTES,
  ...VIEW_ROUTES,
  ...WEBHOOK_ROUTES,
  ...DESCRIPTION_ROUTES,
} as const;

type Routes = typeof ROUTES;
export type RouteName = keyof Routes;

/** What a route's handler is given: `undefined` for what it does not take. */
export type Given<Name extends RouteName, Part extends "params" | "query" | "body"> =
  Routes[Name] extends Readonly<Record<Part, infer Schema extends TSchema>>
    ? Static<Schema>
    : undefined;

/** What a route answers: `undefined` where there is nothing to say. */
export type Answer<Name extends RouteName> =
  Routes[Name] extends Readonly<Record<"answer", infer Schema extends TSchema>>
    ? Static<Schema>
    : undefined;

/** Routes that answer JSON, or nothing: neither files and streams, nor pages that send a browser on. */
export type CallName = {
  [Name in RouteName]: Routes[Name] extends { readonly media: string }
    ? never
    : Routes[Name] extends { readonly answer: TSchema } | { readonly status: 204 }
      ? Name
      : never;
}[RouteName];

/** Routes whose answer is a file, or goes on. */
export type TextName = {
  [Name in RouteName]: Routes[Name] extends { readonly media: string } ? Name : never;
}[RouteName];
