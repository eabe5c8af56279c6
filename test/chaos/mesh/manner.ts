import type { Dice } from "./dice.ts";
import type { Difficulty } from "./difficulty.ts";

/** How it is drawn, and which difficulties it has. */
export interface Manner {
  readonly dice: Dice;
  readonly hard: ReadonlySet<Difficulty>;
}
