/** Why a command did not do its work; the code decides the exit code (docs/errors.md). */
export type CommandErrorCode = "wrong_usage" | "command_failed";

/** Stands in the line when the answer cannot be written, beside exit code 1. */
export type OutputErrorCode = "output_failed";

/** A failure whose message is meant for the person at the terminal: `what, which, what to do`. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;
  /** A code that says more than `code`, and ends the line in parentheses. */
  readonly reason: string | undefined;
  /** Printed below the line, one line each: what shows the place, say. */
  readonly below: readonly string[];

  constructor(
    code: CommandErrorCode,
    message: string,
    {
      reason,
      below = [],
      ...options
    }: ErrorOptions & { readonly reason?: string; readonly below?: readonly string[] } = {},
  ) {
    super(message, options);
    this.name = "CommandError";
    this.code = code;
    this.reason = reason;
    this.below = below;
  }
}
