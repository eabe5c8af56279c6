/**
 * Every route of the API, as it ought to be: who may call it and what it leaves in the audit. Written
 * by hand, beside what the routes say of themselves; a route that is missing here fails the tests.
 */
import type { Permission } from "../../src/api/roles.ts";

export interface ExpectedRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As in the API's description. */
  readonly path: string;
  readonly access: "public" | "sign-in" | "self" | Permission;
  /** Also for a session that has no second factor yet. */
  readonly beforeSecondFactor?: true;
  /** With the action that its entries carry. */
  readonly audit: "none" | `${"attempt" | "change" | "read" | "export" | "tail"} ${string}`;
  /** In place of `{id}`; nobody's. */
  readonly id?: string;
  /** Parameters that it demands. */
  readonly query?: string;
  /** Whatever its form demands. */
  readonly body?: object;
  /** What it answers to whoever may call it. */
  readonly answer: number;
}

const FINDING = "0".repeat(32);
const RULING = { reason: "because" };

/** To a challenge that nobody gave. */
function passkeyAnswer(more: object): object {
  const clientDataJSON = Buffer.from('{"challenge":"none"}').toString("base64url");
  return { id: "AA", rawId: "AA", type: "public-key", response: { clientDataJSON, ...more } };
}

export const ROUTES: readonly ExpectedRoute[] = [
  { method: "GET", path: "/api/v1/openapi.json", access: "public", audit: "none", answer: 200 },
  { method: "GET", path: "/api/v1/status", access: "status.read", audit: "none", answer: 200 },
  { method: "GET", path: "/api/v1/nodes", access: "nodes.read", audit: "none", answer: 200 },
  {
    method: "GET",
    path: "/api/v1/nodes/{id}",
    access: "nodes.read",
    audit: "none",
    id: "a",
    answer: 404,
  },
  {
    method: "PATCH",
    path: "/api/v1/nodes/{id}",
    access: "nodes.write",
    audit: "change node.update",
    id: "a",
    body: {},
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/nodes/{id}/revoke",
    access: "nodes.write",
    audit: "change node.revoke",
    id: "a",
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/nodes/waiting",
    access: "nodes.read",
    audit: "none",
    answer: 200,
  },
  ...["approve", "reject"].map((action): ExpectedRoute => ({
    method: "POST",
    path: `/api/v1/nodes/waiting/{id}/${action}`,
    access: "nodes.write",
    audit: `change node.${action}`,
    id: "a",
    answer: 404,
  })),
  {
    method: "GET",
    path: "/api/v1/audit",
    access: "changes.read",
    audit: "read audit.read",
    answer: 200,
  },
  {
    method: "GET",
    path: "/api/v1/audit/export",
    access: "export",
    audit: "export audit.export",
    query: "format=csv",
    answer: 200,
  },
  {
    method: "POST",
    path: "/api/v1/prune",
    access: "settings.write",
    audit: "change store.prune",
    body: { before: "now" },
    answer: 400,
  },
  { method: "GET", path: "/api/v1/settings", access: "settings.read", audit: "none", answer: 200 },
  {
    method: "PATCH",
    path: "/api/v1/settings",
    access: "settings.write",
    audit: "change setting.change",
    body: { audit_days: 1 },
    answer: 400,
  },
  { method: "GET", path: "/api/v1/keys", access: "keys.read", audit: "none", answer: 200 },
  {
    method: "POST",
    path: "/api/v1/keys",
    access: "keys.write",
    audit: "change enrolment_key.create",
    body: {},
    answer: 201,
  },
  {
    method: "DELETE",
    path: "/api/v1/keys/{id}",
    access: "keys.write",
    audit: "change enrolment_key.revoke",
    id: "a",
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/connections",
    access: "connections.read",
    audit: "read connections.read",
    answer: 200,
  },
  {
    method: "GET",
    path: "/api/v1/connections/histogram",
    access: "connections.read",
    audit: "read connections.read",
    answer: 200,
  },
  ...(
    [
      ["connections", "connections.read"],
      ["findings", "findings.read"],
      ["audit", "changes.read"],
    ] as const
  ).flatMap(([topic, access]): ExpectedRoute[] => [
    {
      method: "GET",
      path: `/api/v1/${topic}/fields`,
      access,
      audit: "none",
      answer: 200,
    },
    {
      method: "GET",
      path: `/api/v1/${topic}/values`,
      access,
      audit: `read ${topic}.read`,
      query: topic === "audit" ? "field=actor" : "field=node",
      answer: 200,
    },
  ]),
  {
    method: "GET",
    path: "/api/v1/events",
    query: "topic=findings",
    // By the topic: `findings.read`, which everybody has, or `connections.read`.
    access: "self",
    audit: "tail findings.tail",
    answer: 200,
  },
  {
    method: "GET",
    path: "/api/v1/findings",
    access: "findings.read",
    audit: "read findings.read",
    answer: 200,
  },
  {
    method: "GET",
    path: "/api/v1/findings/{id}",
    access: "findings.read",
    audit: "read finding.read",
    id: FINDING,
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/findings/{id}/evidence",
    access: "export",
    audit: "export finding.export",
    id: FINDING,
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/findings/{id}/excuse",
    access: "findings.rule",
    audit: "change finding.excuse",
    id: FINDING,
    body: RULING,
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/findings/{id}/acknowledge",
    access: "findings.rule",
    audit: "change finding.acknowledge",
    id: FINDING,
    body: RULING,
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/findings/{id}/confirm",
    access: "findings.rule",
    audit: "change finding.confirm",
    id: FINDING,
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/findings/{id}/reopen",
    access: "findings.rule",
    audit: "change finding.reopen",
    id: FINDING,
    body: RULING,
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/sql",
    access: "sql",
    audit: "export sql.read",
    body: { sql: "SELECT 1" },
    answer: 200,
  },
  { method: "GET", path: "/api/v1/views", access: "views.write", audit: "none", answer: 200 },
  {
    method: "POST",
    path: "/api/v1/views",
    access: "views.write",
    audit: "change view.create",
    body: { name: "made on the walk", topic: "connections", query: "port:22" },
    answer: 201,
  },
  {
    method: "PATCH",
    path: "/api/v1/views/{id}",
    access: "views.write",
    audit: "change view.update",
    id: "a",
    body: { shared: true },
    answer: 404,
  },
  {
    method: "DELETE",
    path: "/api/v1/views/{id}",
    access: "views.write",
    audit: "change view.delete",
    id: "a",
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/signin",
    access: "sign-in",
    audit: "change session.create",
    body: { name: "nobody", password: "not one that counts" },
    answer: 401,
  },
  {
    method: "POST",
    path: "/api/v1/signin/link",
    access: "sign-in",
    audit: "change signin_link.use",
    body: { token: "none", name: "nobody", password: "not one that counts" },
    answer: 401,
  },
  {
    method: "POST",
    path: "/api/v1/signin/links",
    access: "users.write",
    audit: "change signin_link.create",
    body: {},
    answer: 201,
  },
  { method: "GET", path: "/api/v1/signin/methods", access: "public", audit: "none", answer: 200 },
  { method: "GET", path: "/api/v1/signin/oidc", access: "sign-in", audit: "none", answer: 404 },
  {
    method: "GET",
    path: "/api/v1/signin/oidc/callback",
    access: "sign-in",
    audit: "change session.create",
    answer: 401,
  },
  {
    method: "POST",
    path: "/api/v1/signin/passkey",
    access: "sign-in",
    audit: "none",
    body: {},
    answer: 400,
  },
  {
    method: "POST",
    path: "/api/v1/signin/passkey/confirm",
    access: "sign-in",
    audit: "change session.create",
    body: { answer: passkeyAnswer({ authenticatorData: "AA", signature: "AA" }) },
    answer: 403,
  },
  {
    method: "GET",
    path: "/api/v1/profile/passkeys",
    access: "profile.read",
    audit: "none",
    answer: 200,
  },
  {
    method: "POST",
    path: "/api/v1/profile/passkeys",
    access: "profile.write",
    beforeSecondFactor: true,
    audit: "attempt passkey.create",
    body: {},
    answer: 400,
  },
  {
    method: "POST",
    path: "/api/v1/profile/passkeys/confirm",
    access: "profile.write",
    beforeSecondFactor: true,
    audit: "change passkey.create",
    body: { name: "made on the walk", answer: passkeyAnswer({ attestationObject: "AA" }) },
    answer: 403,
  },
  {
    method: "PATCH",
    path: "/api/v1/profile/passkeys/{id}",
    access: "profile.write",
    audit: "change passkey.update",
    id: "a",
    body: { name: "renamed on the walk" },
    answer: 404,
  },
  {
    method: "POST",
    path: "/api/v1/profile/passkeys/{id}/remove",
    access: "profile.write",
    audit: "change passkey.delete",
    id: "a",
    body: {},
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/signin/oidc/settings",
    access: "settings.read",
    audit: "none",
    answer: 200,
  },
  {
    method: "PUT",
    path: "/api/v1/signin/oidc/settings",
    access: "settings.write",
    audit: "change setting.update",
    body: {
      issuer: "http://192.0.2.1",
      client_id: "walker",
      roles: [{ group: "a", role: "viewer" }],
    },
    answer: 400,
  },
  {
    method: "POST",
    path: "/api/v1/signin/oidc/settings/refresh",
    access: "settings.write",
    audit: "change setting.refresh",
    answer: 404,
  },
  {
    method: "DELETE",
    path: "/api/v1/signin/oidc/settings",
    access: "settings.write",
    audit: "change setting.delete",
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/profile",
    access: "self",
    beforeSecondFactor: true,
    audit: "none",
    answer: 200,
  },
  {
    method: "POST",
    path: "/api/v1/profile/password",
    access: "profile.write",
    audit: "change user.set_password",
    body: { old: "not the old one", password: "one that is long enough" },
    answer: 403,
  },
  {
    method: "POST",
    path: "/api/v1/profile/totp",
    access: "profile.write",
    beforeSecondFactor: true,
    audit: "attempt user.set_second_factor",
    body: { password: "not the old one" },
    answer: 403,
  },
  {
    method: "POST",
    path: "/api/v1/profile/totp/confirm",
    access: "profile.write",
    beforeSecondFactor: true,
    audit: "change user.set_second_factor",
    body: { code: "none" },
    answer: 403,
  },
  { method: "GET", path: "/api/v1/sessions", access: "profile.read", audit: "none", answer: 200 },
  {
    method: "DELETE",
    path: "/api/v1/sessions/{id}",
    access: "profile.write",
    audit: "change session.end",
    id: "0".repeat(16),
    answer: 404,
  },
  { method: "GET", path: "/api/v1/tokens", access: "profile.read", audit: "none", answer: 200 },
  {
    method: "POST",
    path: "/api/v1/tokens",
    access: "profile.write",
    audit: "change token.create",
    body: { name: "made on the walk" },
    answer: 201,
  },
  {
    method: "DELETE",
    path: "/api/v1/tokens/{id}",
    access: "self",
    audit: "change token.revoke",
    id: "0".repeat(16),
    answer: 404,
  },
  { method: "GET", path: "/api/v1/users", access: "users.read", audit: "none", answer: 200 },
  {
    method: "POST",
    path: "/api/v1/users",
    access: "users.write",
    audit: "change user.create",
    body: { name: "made-on-the-walk", role: "viewer" },
    answer: 201,
  },
  ...["disable", "enable", "reset-second-factor"].map((action): ExpectedRoute => ({
    method: "POST",
    path: `/api/v1/users/{id}/${action}`,
    access: "users.write",
    audit: `change user.${action.replaceAll("-", "_")}`,
    id: "nobody",
    answer: 404,
  })),
  {
    method: "POST",
    path: "/api/v1/users/{id}/role",
    access: "users.write",
    audit: "change user.set_role",
    id: "nobody",
    body: { role: "owner" },
    answer: 404,
  },
  {
    method: "DELETE",
    path: "/api/v1/users/{id}",
    access: "users.write",
    audit: "change user.delete",
    id: "nobody",
    answer: 404,
  },
  {
    method: "GET",
    path: "/api/v1/settings/signin",
    access: "settings.read",
    audit: "none",
    answer: 200,
  },
  {
    method: "PUT",
    path: "/api/v1/settings/signin",
    access: "settings.write",
    audit: "change setting.update",
    body: { second_factor_required: "perhaps" },
    answer: 400,
  },
  { method: "GET", path: "/api/v1/webhook", access: "settings.read", audit: "none", answer: 404 },
  {
    method: "PUT",
    path: "/api/v1/webhook",
    access: "settings.write",
    audit: "change webhook.set",
    body: { url: "http://127.0.0.1:9/" },
    answer: 200,
  },
  {
    method: "POST",
    path: "/api/v1/webhook/test",
    access: "settings.write",
    audit: "change webhook.test",
    answer: 200,
  },
  {
    method: "DELETE",
    path: "/api/v1/webhook",
    access: "settings.write",
    audit: "change webhook.remove",
    answer: 204,
  },
  // Last: it ends the session that walks.
  {
    method: "POST",
    path: "/api/v1/signout",
    access: "self",
    beforeSecondFactor: true,
    audit: "change session.end",
    answer: 204,
  },
];

export function pathOf({ path, id = "", query }: ExpectedRoute): string {
  return `${path.replace("{id}", id)}${query === undefined ? "" : `?${query}`}`;
}

export function named({ method, path }: Pick<ExpectedRoute, "method" | "path">): string {
  return `${method} ${path}`;
}
