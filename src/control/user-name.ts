/** What users and their tokens may be called. */
import { ControlError } from "./control-error.ts";
import { TOKEN_NAME_CHARS_MAX } from "./limits.ts";

/** An address is a name too; what separates or ends words is not. */
const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/;

/** Throws `bad_name`. */
export function checkUserName(name: string): void {
  if (USER_NAME.test(name)) return;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new ControlError("bad_name", `${shown} is no user's name (letters, digits, . _ - @ +)`);
}

/** Whatever can be read: not what is hidden, turns the line around or moves a cursor. Throws `bad_name`. */
export function checkTokenName(name: string): void {
  if (name.trim() !== "" && name.length <= TOKEN_NAME_CHARS_MAX && !/\p{C}/u.test(name)) return;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new ControlError(
    "bad_name",
    `${shown} is no token's name (what can be read, 63 characters)`,
  );
}
