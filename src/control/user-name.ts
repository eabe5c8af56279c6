/** What users, their tokens and their passkeys may be called. */
import { ControlError } from "./control-error.ts";
import { TOKEN_NAME_CHARS_MAX } from "../api/limits.ts";

const NAME_CHARS_MAX = 63;

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
  const what = `up to ${TOKEN_NAME_CHARS_MAX} characters that can be read`;
  throw new ControlError("bad_name", `${shown} is no name for it: ${what}`);
}

/**
 * The first of what somebody is called elsewhere that can be a name here, with a number where it is
 * taken. What may not stand in a name becomes a dash.
 */
export function freeUserName(
  called: readonly string[],
  isTaken: (name: string) => boolean,
): string {
  const names = called.map((text) =>
    text
      .slice(0, 4 * NAME_CHARS_MAX)
      .replaceAll(/[^A-Za-z0-9._@+-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, NAME_CHARS_MAX),
  );
  const name = names.find((each) => each !== "") ?? "somebody";
  for (let count = 1; ; count++) {
    const suffix = count === 1 ? "" : `-${count}`;
    const candidate = `${name.slice(0, NAME_CHARS_MAX - suffix.length)}${suffix}`;
    if (!isTaken(candidate)) return candidate;
  }
}
