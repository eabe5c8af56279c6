/** What makes traffic hard to compare, and can be left out of a run. */
export const DIFFICULTIES = [
  /** Routers that translate, with and without an agent. */
  "nat",
  /** Routers that do not. */
  "routers",
  /** Tuples used again within seconds. */
  "reuse",
  /** Both ends open at once. */
  "crossed",
  /** UDP sessions with pauses that the two kernels judge differently. */
  "split",
  /** Packets that are lost. */
  "loss",
  /** Whatever happens to nodes: restarts, outages, overloads, opt-outs, set clocks. */
  "weather",
] as const;

/** One of `DIFFICULTIES`. */
export type Difficulty = (typeof DIFFICULTIES)[number];
