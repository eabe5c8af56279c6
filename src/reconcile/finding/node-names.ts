/**
 * Names of nodes in a finding's title. A thousand nodes may contradict one, or have one address: the
 * title of an entry is bounded (docs/formats.md), and so is its line.
 */

/** More are counted. With names as long as they may be, a title with two such lists still fits. */
const NAMES_SHOWN_MAX = 3;

/** Nodes that a finding's evidence lists one by one: with 16 mismatches each 30 KB at most. The rest is counted. */
export const NODES_LISTED_MAX = 32;

/** `a, b and c`; of more than four, the first three and how many there are besides. */
export function nodeNames(names: readonly string[]): string {
  const isLong = names.length > NAMES_SHOWN_MAX + 1;
  const shown = isLong ? names.slice(0, NAMES_SHOWN_MAX) : names.slice(0, -1);
  const last = isLong ? `${names.length - NAMES_SHOWN_MAX} others` : (names.at(-1) ?? "");
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}
