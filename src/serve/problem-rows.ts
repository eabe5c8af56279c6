/** Every error that the API can answer: its status, what it means, and what to do. */
import type { ControlErrorCode } from "../control/control-error.ts";
import type { SqlRefusalCode } from "../store/sql-guard.ts";
import type { ServeErrorCode } from "./serve-error.ts";

/** Raised before anything listens: they end the process and never become an answer. */
type StartErrorCode =
  | "bad_listen"
  | "bad_public_url"
  | "bad_proxy"
  | "bad_tls"
  | "bad_data_dir"
  | "listen_failed"
  | "data_in_use"
  | "state_too_new";

/** Raised while enrolling only: ingest answers them. */
type EnrolErrorCode = "approval_needed" | "revoked_key";

export type ProblemCode =
  | Exclude<ServeErrorCode | ControlErrorCode, StartErrorCode | EnrolErrorCode>
  | SqlRefusalCode;

export interface ProblemRow {
  readonly status: number;
  readonly title: string;
  readonly hint: string;
}

const sqlHint = "ask one SELECT over the public tables, with pure functions";
const sql = (title: string, hint = sqlHint): ProblemRow => ({ status: 400, title, hint });

export const PROBLEMS = {
  bad_request: {
    status: 400,
    title: "the request is not in the documented form",
    hint: "compare it with /api/v1/openapi.json",
  },
  bad_cursor: {
    status: 400,
    title: "the cursor is not one of ours",
    hint: "pass `next` of the page before, unchanged, or begin without it",
  },
  bad_filter: {
    status: 400,
    title: "the filter names what does not exist",
    hint: "list the nodes with `tallystick nodes`",
  },
  ambiguous_id: {
    status: 400,
    title: "several ids begin so",
    hint: "give more of its digits",
  },
  bad_ttl: {
    status: 400,
    title: "the lifetime is not allowed",
    hint: "ask for 1 second to 366 days",
  },
  bad_expiry: {
    status: 400,
    title: "the ruling cannot end then",
    hint: "name a time within the next 90 days; reopening has no end",
  },
  bad_tag: {
    status: 400,
    title: "a tag is not allowed",
    hint: "use at most 16 tags of letters, digits, dots, dashes or underscores",
  },
  unauthorized: {
    status: 401,
    title: "no valid token or session",
    hint: "sign in, or send `Authorization: Bearer TOKEN`; the administrator's is in DIR/admin.token on the server",
  },
  bad_signin: {
    status: 401,
    title: "name, password or code is wrong",
    hint: "try again with the next code; who is locked out asks an owner, or the server's administrator for a sign-in link",
  },
  bad_signin_link: {
    status: 401,
    title: "the sign-in link is not valid",
    hint: "links count once and not for long; `tallystick admin signin-link --data DIR` makes another on the server",
  },
  signin_throttled: {
    status: 429,
    title: "too many attempts to sign in",
    hint: "wait as long as `retry-after` says",
  },
  cross_site: {
    status: 403,
    title: "the request seems to come from another site",
    hint: "with a session, write from the server's own pages, as application/json; programs use an API token",
  },
  second_factor_needed: {
    status: 403,
    title: "the session has no second factor yet",
    hint: "set one up: POST /api/v1/profile/totp, or /api/v1/profile/passkeys",
  },
  session_needed: {
    status: 403,
    title: "a person in a session does this, no token",
    hint: "sign in, with `tallystick login` say",
  },
  no_user: {
    status: 403,
    title: "the administrator's token is no user",
    hint: "sign in as a user for what belongs to one",
  },
  passkey_origin: {
    status: 400,
    title: "passkeys do not work under this address of the server",
    hint: "open it as https with a name, or as localhost on its own machine; with a proxy, say --public-url",
  },
  bad_passkey: {
    status: 403,
    title: "the passkey's answer does not hold",
    hint: "begin anew, and answer within five minutes; if it stays so, sign in another way",
  },
  passkey_cloned: {
    status: 403,
    title: "the passkey's counter went back: there may be a copy of it",
    hint: "sign in another way, remove this passkey, and register the device anew",
  },
  unknown_passkey: {
    status: 404,
    title: "no such passkey of yours",
    hint: "list them: GET /api/v1/profile/passkeys",
  },
  too_many_passkeys: {
    status: 409,
    title: "you have as many passkeys as may be",
    hint: "remove those that you use no more",
  },
  proof_needed: {
    status: 403,
    title: "the password is needed, or a session that has just begun",
    hint: "give `password`, or sign in again",
  },
  last_factor: {
    status: 409,
    title: "it is your only second factor, and one is required",
    hint: "register another passkey or an authenticator first",
  },
  not_local: {
    status: 409,
    title: "the OpenID provider vouches for that user",
    hint: "change it there: groups give the role; disabling and deleting work here",
  },
  oidc_off: {
    status: 404,
    title: "no OpenID provider is configured",
    hint: "sign in another way, or ask an owner; docs/access.md says how it is configured",
  },
  oidc_secret_needed: {
    status: 400,
    title: "the client's secret is needed",
    hint: "give `client_secret`: the one that is kept belongs to another issuer or client",
  },
  bad_issuer: {
    status: 400,
    title: "the issuer cannot be used",
    hint: "name the provider's https address as its discovery document has it; it must not redirect",
  },
  oidc_unreachable: {
    status: 502,
    title: "the OpenID provider does not answer",
    hint: "try again; if it stays so, look at the way from this server to the provider",
  },
  oidc_state: {
    status: 401,
    title: "the provider's answer belongs to no sign-in of this browser",
    hint: "begin anew, in one tab and within ten minutes, under the same name of the server",
  },
  oidc_refused: {
    status: 401,
    title: "the OpenID provider refused",
    hint: "begin anew; if it stays so, an owner compares client id, secret and redirect address with the provider's",
  },
  oidc_bad_token: {
    status: 401,
    title: "the OpenID provider's token does not hold",
    hint: "begin anew; if it stays so, an owner compares client id and clocks with the provider's",
  },
  oidc_keys_changed: {
    status: 401,
    title: "the OpenID provider signs with a new key",
    hint: "an owner fetches its keys anew: POST /api/v1/signin/oidc/settings/refresh",
  },
  oidc_denied: {
    status: 403,
    title: "the provider knows you, and this server does not let you in",
    hint: "ask an owner for a group that has a role here",
  },
  bad_password: {
    status: 400,
    title: "the password is not allowed",
    hint: "use 12 to 256 characters that are not your name",
  },
  wrong_password: {
    status: 403,
    title: "the password is wrong",
    hint: "give the one that you sign in with",
  },
  wrong_code: {
    status: 403,
    title: "the code is wrong",
    hint: "enter what the authenticator shows now; begin anew if the secret was shown long ago",
  },
  user_exists: {
    status: 409,
    title: "another user has that name",
    hint: "choose another; upper and lower case are the same",
  },
  unknown_user: {
    status: 404,
    title: "no such user",
    hint: "list them with `tallystick users`",
  },
  too_many_users: {
    status: 409,
    title: "there are as many users as may be",
    hint: "delete those who are gone",
  },
  last_owner: {
    status: 409,
    title: "the last owner who can sign in stays",
    hint: "make another owner first",
  },
  too_many_links: {
    status: 409,
    title: "too many sign-in links wait to be used",
    hint: "use them, or let them expire",
  },
  unknown_session: {
    status: 404,
    title: "no such session",
    hint: "it may have ended; they are listed at /api/v1/sessions",
  },
  unknown_token: {
    status: 404,
    title: "no such API token",
    hint: "list them with `tallystick tokens`",
  },
  too_many_tokens: {
    status: 409,
    title: "the user has as many API tokens as may be",
    hint: "revoke some with `tallystick tokens revoke`",
  },
  bad_scope: {
    status: 400,
    title: "the token may not have that scope",
    hint: "a token never may more than who makes it; docs/access.md lists the permissions",
  },
  foreign_address: {
    status: 403,
    title: "the administrator's token counts only on the server's own machine",
    hint: "run the command there, without a proxy between",
  },
  not_found: { status: 404, title: "no such route", hint: "routes are in /api/v1/openapi.json" },
  forbidden: {
    status: 403,
    title: "your role does not allow it",
    hint: "ask an owner; docs/access.md lists what each role may do",
  },
  bad_name: {
    status: 400,
    title: "the name is not allowed",
    hint: "use 1 to 63 letters, digits, dots, dashes and underscores; a user's also @ and +",
  },
  bad_owner: {
    status: 400,
    title: "the owner's name is too long",
    hint: "use at most 128 characters",
  },
  bad_setting: {
    status: 400,
    title: "the setting cannot have that value",
    hint: "`tallystick settings` lists what it may be",
  },
  bad_before: {
    status: 400,
    title: "so much cannot be pruned",
    hint: "name a time at least a day ago: 30d, 2026-03-01",
  },
  unknown_node: {
    status: 404,
    title: "no such node",
    hint: "list them with `tallystick nodes`",
  },
  unknown_key: {
    status: 404,
    title: "no such enrolment key",
    hint: "list them with `tallystick keys list`",
  },
  unknown_finding: {
    status: 404,
    title: "no such finding",
    hint: "list them with `tallystick findings`",
  },
  finding_resolved: {
    status: 409,
    title: "the finding is resolved",
    hint: "nothing is left to decide; should it be found again, it opens again",
  },
  finding_open: {
    status: 409,
    title: "the finding is open",
    hint: "there is nothing to take back; nothing was journaled",
  },
  nothing_to_confirm: {
    status: 409,
    title: "nothing waits to be confirmed",
    hint: "rule on the finding yourself",
  },
  second_person_needed: {
    status: 403,
    title: "somebody else must confirm it",
    hint: "ask a person who did not propose it and whose node it is not about",
  },
  bad_enrolment_key: {
    status: 409,
    title: "the enrolment key lets nobody in any more",
    hint: "make a new one with `tallystick keys create`, and enrol the node with it",
  },
  too_many_nodes: {
    status: 409,
    title: "no more nodes can be enrolled",
    hint: "see which of them are needed",
  },
  unknown_view: {
    status: 404,
    title: "no such view of yours",
    hint: "list them with GET /api/v1/views; what others share, they alone change",
  },
  view_name_taken: {
    status: 409,
    title: "another of your views has that name",
    hint: "choose another name, or change that view",
  },
  too_many_views: {
    status: 409,
    title: "no more views can be saved",
    hint: "remove one that you do not use",
  },
  name_taken: {
    status: 409,
    title: "another active node has that name",
    hint: "choose another, or revoke that node first",
  },
  already_revoked: {
    status: 409,
    title: "the node was revoked before",
    hint: "nothing is left to do",
  },
  too_many_keys: {
    status: 409,
    title: "too many enrolment keys are usable",
    hint: "revoke some with `tallystick keys revoke`, or let them expire",
  },
  payload_too_large: {
    status: 413,
    title: "the body is too large",
    hint: "the API reads at most 128 KiB",
  },
  unsupported_media_type: {
    status: 415,
    title: "the body has another media type",
    hint: "send application/json",
  },
  unknown_host: {
    status: 421,
    title: "the server does not know itself by this name",
    hint: "use its address, or start it with --public-url",
  },
  evidence_busy: {
    status: 429,
    title: "other evidence is being exported",
    hint: "try again in a few seconds",
  },
  bad_webhook: {
    status: 400,
    title: "findings cannot be sent there",
    hint: "name an https URL that leads to a receiver; http is for this machine's loopback alone",
  },
  no_webhook: {
    status: 404,
    title: "there is no webhook",
    hint: "PUT one to /api/v1/webhook first",
  },
  idempotency_in_progress: {
    status: 409,
    title: "the first request with this Idempotency-Key is under way",
    hint: "repeat it in a second",
  },
  idempotency_lost: {
    status: 409,
    title: "the change was made, and its answer is lost",
    hint: "the detail names what was changed: look at it; the server stopped before it could answer",
  },
  idempotency_mismatch: {
    status: 422,
    title: "the Idempotency-Key stands for another request",
    hint: "use a new key for each change, and the same for its repetition alone",
  },
  too_many_streams: {
    status: 429,
    title: "too many live streams are open",
    hint: "close one: a person or token has 8, the server 100",
  },
  unrecordable: {
    status: 400,
    title: "what was asked for fits in no audit entry; nothing was changed or read",
    hint: "send less of it, or less deeply nested, and as well-formed text",
  },
  control_busy: {
    status: 429,
    title: "the journal takes no changes now",
    hint: "try again in a second; if it lasts, make room on the server's disk",
  },
  internal: {
    status: 500,
    title: "the server made a mistake",
    hint: "look at the server's log",
  },
  store_failed: {
    status: 500,
    title: "the store could not answer",
    hint: "ask for less (a shorter time, fewer rows); look at the server's log",
  },
  bad_query: {
    status: 400,
    title: "the query is not understood",
    hint: "docs/query.md shows how to write it",
  },
  control_failed: {
    status: 503,
    title: "changes stopped after a failed write",
    hint: "the server is ending; look at its log and its disk, and start it again",
  },
  store_unavailable: {
    status: 503,
    title: "the store does not answer",
    hint: "ingest goes on; try again in a few seconds",
  },
  sql_empty: sql("there is no query"),
  sql_too_long: sql("the query is longer than 64 KiB"),
  sql_syntax: sql("the query cannot be parsed"),
  sql_many_statements: sql("there is more than one statement"),
  sql_not_select: sql("only SELECT and WITH … SELECT are allowed"),
  sql_clause: sql("a clause is not for users"),
  sql_parameter: sql("the query has parameters"),
  sql_identifier: sql("a quoted name has characters that are not allowed"),
  sql_table: sql(
    "the table is not public",
    "the tables are connections, halves, findings, nodes, logs, changes, audit, batches",
  ),
  sql_function: sql("the function is not on the list"),
  sql_table_function: sql("the table function is not on the list"),
  sql_failed: sql(
    "the query could not be run",
    "the detail says why; ask for less if it was a limit",
  ),
} as const satisfies Readonly<Record<ProblemCode, ProblemRow>>;
