/** The name of a network: a space of addresses in which an address names at most one node. */
import { NAME_CHARS_MAX } from "./limits.ts";

/** The network of every connection that names none. An `open` never spells it out. */
export const DEFAULT_NETWORK = "default";

/**
 * Letters, digits, dots, dashes and underscores; begins with a letter, so that no reader's map
 * mistakes it for an index and reorders it.
 */
export function isNetworkName(name: string): boolean {
  return name.length <= NAME_CHARS_MAX && /^[A-Za-z](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name);
}
