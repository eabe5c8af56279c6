/** Regular expressions in RE2's syntax, which the store has too: none takes more than linear time. */
import { RE2JS } from "re2js";

/** As the store compiles them: a dot is any character, also a line's end. Throws an error that says what is wrong. */
export function compileRegex(source: string): RE2JS {
  return RE2JS.compile(source, RE2JS.DOTALL);
}
