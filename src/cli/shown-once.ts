/** Secrets that an answer shows once. */
import { CommandError } from "../std/command-error.ts";

/** Null stands in an answer that is repeated by its key, and no command sends one. Throws `command_failed`. */
export function shownOnce<T>(secret: T | null): T {
  if (secret !== null) return secret;
  const line = "the server shows no secret, it was shown before, revoke it and make another";
  throw new CommandError("command_failed", line);
}
