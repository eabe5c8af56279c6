/**
 * Whether this process may take back niceness. The engine asks its capabilities and believes them;
 * in a user namespace they say yes, the kernel says no, and the engine ends over it. So it is tried.
 */
import { getPriority, setPriority } from "node:os";

let known: boolean | undefined;

/** Tried once; what is then found holds for the life of the process. */
export function mayRaisePriority(): boolean {
  known ??= tried();
  return known;
}

function tried(): boolean {
  const nice = getPriority();
  try {
    setPriority(nice - 1);
    setPriority(nice);
    return true;
  } catch {
    return false;
  }
}
