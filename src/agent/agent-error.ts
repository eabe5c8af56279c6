/** The one error of this folder. Its codes are listed in docs/errors.md. */
export type AgentErrorCode =
  | "bad_option"
  | "state_in_use"
  | "bad_state"
  | "not_enrolled"
  | "enrolment_refused"
  | "insecure_server"
  | "wrong_certificate"
  | "bad_answer"
  | "unreachable";

export class AgentError extends Error {
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AgentError";
    this.code = code;
  }
}
