/** Do an open and a half speak of the same addresses and ports, whoever of the two began? */
import type { OpenEntry, Tuple } from "../format/entry.ts";
import { mirrored, tupleKey } from "../format/half.ts";

export function isSameTuple({ tuple: given }: OpenEntry, tuple: Tuple): boolean {
  // Nearly always another one: ports differ before anything is put together.
  const sum = given.initiatorPort + given.responderPort;
  if (sum !== tuple.initiatorPort + tuple.responderPort) return false;
  const key = tupleKey(given);
  return key === tupleKey(tuple) || key === tupleKey(mirrored(tuple));
}
