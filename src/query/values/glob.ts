/** `web*`: a star stands for any text, also none. */

/** Pieces between the stars, folded; two empty ones for `*` alone. */
export type Glob = readonly string[];

export function globMatches(pieces: Glob, text: string): boolean {
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** The same for SQL's LIKE. */
export function likePattern(pieces: Glob): string {
  return pieces.map((piece) => piece.replaceAll(/[\\%_]/g, "\\$&")).join("%");
}
