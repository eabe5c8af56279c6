/**
 * Colours for people at a terminal, and for nobody else: not in a pipe, not when NO_COLOR is set
 * to anything, not on a terminal that calls itself dumb. Colour repeats what the words say already.
 */

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** A name that `colours` paints by. */
export type Colour = keyof typeof codes;

/** Paints text, or leaves it alone where colours are off. */
export type Paint = (colour: Colour, text: string) => string;

/** The painter for a stream, decided once: `isTerminal` is the stream's `isTTY`. */
export function painter(isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const plain = !isTerminal || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  if (plain) return (_colour, text) => text;
  return (colour, text) => `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m`;
}
