/** Why the control state refused or could not do something; the codes are public (docs/errors.md). */
export type ControlErrorCode =
  | "bad_enrolment_key"
  | "bad_tag"
  | "bad_ttl"
  | "bad_name"
  | "bad_owner"
  | "approval_needed"
  | "bad_setting"
  | "bad_before"
  | "name_taken"
  | "revoked_key"
  | "already_revoked"
  | "unknown_node"
  | "unknown_key"
  | "too_many_nodes"
  | "too_many_keys"
  | "unknown_view"
  | "view_name_taken"
  | "too_many_views"
  | "user_exists"
  | "unknown_user"
  | "too_many_users"
  | "last_owner"
  | "bad_password"
  | "wrong_password"
  | "wrong_code"
  | "bad_signin"
  | "bad_signin_link"
  | "too_many_links"
  | "unknown_session"
  | "unknown_token"
  | "too_many_tokens"
  | "bad_scope"
  | "no_user"
  | "no_webhook"
  | "not_local"
  | "oidc_off"
  | "oidc_secret_needed"
  | "oidc_denied"
  | "bad_passkey"
  | "passkey_cloned"
  | "unknown_passkey"
  | "too_many_passkeys"
  | "proof_needed"
  | "last_factor"
  | "unrecordable"
  | "control_busy"
  | "control_failed"
  | "data_in_use"
  | "state_too_new";

export class ControlError extends Error {
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ControlError";
    this.code = code;
  }
}
