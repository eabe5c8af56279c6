/** What a user may be called. An address is a name too; what separates or ends words is not. */
import { ControlError } from "./control-error.ts";

const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/;

/** Throws `bad_name`. */
export function checkUserName(name: string): void {
  if (USER_NAME.test(name)) return;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new ControlError("bad_name", `${shown} is no user's name (letters, digits, . _ - @ +)`);
}
