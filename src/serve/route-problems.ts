/**
 * Which problems a route can answer, for the description of the API. Most follow from what a route
 * takes and leaves; the rest is listed here by action, or by path where there is none.
 */
import type { RouteOptions } from "fastify";
import { sqlRefusals } from "../store/sql-guard.ts";
import type { ProblemCode } from "./problem-rows.ts";

type Codes = readonly ProblemCode[];

const FINDING: Codes = ["unknown_finding", "ambiguous_id", "store_unavailable", "store_failed"];
const RULING: Codes = [...FINDING, "bad_expiry", "finding_resolved", "finding_open"];
const NODE: Codes = ["unknown_node", "ambiguous_id"];
const OIDC: Codes = ["oidc_off", "oidc_unreachable", "bad_issuer"];
const PASSWORD_AGAIN: Codes = ["proof_needed", "wrong_password", "signin_throttled"];
const USER: Codes = ["unknown_user", "last_owner"];

const BY_ACTION: Readonly<Record<string, Codes>> = {
  "audit.export": ["store_unavailable", "store_failed"],
  "audit.read": ["store_unavailable", "store_failed"],
  "connections.read": ["store_unavailable", "store_failed"],
  "enrolment_key.create": ["bad_ttl", "bad_tag", "too_many_keys"],
  "enrolment_key.revoke": ["unknown_key"],
  "events.tail": ["too_many_streams"],
  "finding.acknowledge": RULING,
  "finding.confirm": [...RULING, "nothing_to_confirm", "second_person_needed"],
  "finding.excuse": RULING,
  "finding.export": [...FINDING, "evidence_busy"],
  "finding.read": FINDING,
  "finding.reopen": RULING,
  "findings.read": ["store_unavailable", "store_failed"],
  "node.approve": [...NODE, "name_taken", "too_many_nodes"],
  "node.reject": NODE,
  "node.update": [...NODE, "bad_name", "bad_owner", "bad_tag", "name_taken"],
  "node.revoke": [...NODE, "already_revoked"],
  "passkey.create": [
    "bad_passkey",
    "bad_name",
    "too_many_passkeys",
    "session_needed",
    "unknown_session",
  ],
  "passkey.delete": [...PASSWORD_AGAIN, "unknown_passkey", "last_factor", "session_needed"],
  "passkey.update": ["unknown_passkey", "bad_name", "session_needed"],
  "session.create": [
    "bad_signin",
    "bad_passkey",
    "passkey_cloned",
    "signin_throttled",
    "too_many_users",
    ...OIDC,
    "oidc_bad_token",
    "oidc_denied",
    "oidc_keys_changed",
    "oidc_refused",
    "oidc_state",
  ],
  "session.end": ["unknown_session", "session_needed"],
  "setting.change": ["bad_setting"],
  "setting.delete": ["oidc_off"],
  "setting.refresh": OIDC,
  "setting.update": [...OIDC, "oidc_secret_needed"],
  "signin_link.create": ["unknown_user", "not_local", "too_many_links"],
  "signin_link.use": [
    "bad_signin_link",
    "bad_password",
    "bad_name",
    "unknown_user",
    "signin_throttled",
  ],
  "sql.read": [...(Object.keys(sqlRefusals) as (keyof typeof sqlRefusals)[]), "store_unavailable"],
  "store.prune": ["bad_before", "store_unavailable", "store_failed"],
  "token.create": ["bad_scope", "bad_ttl", "too_many_tokens", "no_user", "unknown_user"],
  "token.revoke": ["unknown_token", "no_user"],
  "user.create": ["bad_name", "user_exists", "too_many_users", "too_many_links"],
  "user.delete": USER,
  "user.disable": USER,
  "user.enable": USER,
  "user.reset_second_factor": USER,
  "user.set_password": ["wrong_password", "bad_password", "session_needed", "signin_throttled"],
  "user.set_role": [...USER, "not_local"],
  "user.set_second_factor": ["wrong_code", "session_needed", "signin_throttled", "unknown_session"],
  "view.create": ["bad_query", "too_many_views", "view_name_taken"],
  "view.delete": ["unknown_view"],
  "view.update": ["bad_query", "unknown_view", "view_name_taken"],
  "webhook.remove": ["no_webhook"],
  "webhook.set": ["bad_webhook"],
  "webhook.test": ["no_webhook"],
};

const BY_PATH: Readonly<Record<string, Codes>> = {
  "/api/v1/nodes/:id": NODE,
  "/api/v1/profile/passkeys": [
    ...PASSWORD_AGAIN,
    "not_local",
    "passkey_origin",
    "session_needed",
    "too_many_passkeys",
  ],
  "/api/v1/profile/totp": ["not_local", "wrong_password", "session_needed", "signin_throttled"],
  "/api/v1/sessions": ["no_user"],
  "/api/v1/signin/oidc": ["oidc_off"],
  "/api/v1/signin/passkey": ["passkey_origin"],
  "/api/v1/tokens": ["no_user"],
  "/api/v1/webhook": ["no_webhook"],
};

/** What the tables above list; a test finds routes for all of it. */
export const LISTED = { actions: Object.keys(BY_ACTION), paths: Object.keys(BY_PATH) } as const;

/** Sorted, each once. */
export function problemsOf({ url, config, schema }: RouteOptions): ProblemCode[] {
  const { action = "", audit } = config ?? {};
  const isKeyed = audit === "change" && config?.access !== "sign-in";
  const isWritten = audit !== "none" && audit !== "attempt";
  const codes: ProblemCode[] = [
    ...ofAccess(config?.access),
    ...ofInput(schema),
    ...(isWritten ? (["unrecordable", "control_busy", "control_failed"] as const) : []),
    ...(isKeyed ? KEYED : []),
    ...(action === "" || audit === "attempt" ? (BY_PATH[url] ?? []) : (BY_ACTION[action] ?? [])),
    "internal",
  ];
  return [...new Set(codes)].toSorted();
}

const KEYED: Codes = [
  "bad_request",
  "idempotency_in_progress",
  "idempotency_lost",
  "idempotency_mismatch",
];

function ofAccess(access: string | undefined): Codes {
  if (access === "public") return [];
  if (access === "sign-in") return ["unknown_host", "cross_site"];
  const all = ["unauthorized", "foreign_address", "unknown_host", "cross_site"] as const;
  return [...all, "second_factor_needed", ...(access === "self" ? [] : (["forbidden"] as const))];
}

function ofInput(schema: RouteOptions["schema"]): Codes {
  const { querystring, params, body } = schema ?? {};
  const { properties = {} } = (querystring ?? {}) as { properties?: object };
  const takes = (...names: string[]) => names.some((name) => name in properties);
  return [
    ...(querystring !== undefined || params !== undefined ? (["bad_request"] as const) : []),
    ...(takes("where", "field") ? (["bad_query"] as const) : []),
    ...(takes("cursor", "follow", "last_event_id") ? (["bad_cursor"] as const) : []),
    ...(takes("node") ? (["bad_filter"] as const) : []),
    ...(body === undefined
      ? []
      : (["bad_request", "payload_too_large", "unsupported_media_type"] as const)),
  ];
}
