/** What the HTTP API and the server's start can answer besides success; public (docs/errors.md). */
export type ServeErrorCode =
  | "bad_request"
  | "bad_cursor"
  | "bad_filter"
  | "unauthorized"
  | "forbidden"
  | "second_factor_needed"
  | "session_needed"
  | "cross_site"
  | "signin_throttled"
  | "foreign_address"
  | "passkey_origin"
  | "bad_issuer"
  | "oidc_unreachable"
  | "oidc_state"
  | "oidc_refused"
  | "oidc_bad_token"
  | "oidc_keys_changed"
  | "not_found"
  | "unknown_finding"
  | "ambiguous_id"
  | "evidence_busy"
  | "too_many_streams"
  | "bad_webhook"
  | "idempotency_in_progress"
  | "idempotency_mismatch"
  | "idempotency_lost"
  | "finding_resolved"
  | "finding_open"
  | "bad_expiry"
  | "nothing_to_confirm"
  | "second_person_needed"
  | "payload_too_large"
  | "unsupported_media_type"
  | "unknown_host"
  | "bad_query"
  | "store_unavailable"
  | "store_failed"
  | "internal"
  | "bad_listen"
  | "bad_public_url"
  | "bad_proxy"
  | "bad_tls"
  | "bad_data_dir"
  | "listen_failed";

export class ServeError extends Error {
  readonly code: ServeErrorCode;
  /** Seconds after which it is worth another try, where that is known. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ServeErrorCode,
    message: string,
    { retryAfterS, ...options }: ErrorOptions & { readonly retryAfterS?: number } = {},
  ) {
    super(message, options);
    this.name = "ServeError";
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}
