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
  /** Agents stopped and started, killed, and away for long. */
  "restart",
  "crash",
  "long-absence",
  /** Uplinks that fail for minutes. */
  "outage",
  /** Kernels that drop events. */
  "overload",
  "opt-out",
  /** Clocks that are set. */
  "clock-step",
  /** State directories that come back from a copy. */
  "old-state",
  /** Addresses that two hosts claim. */
  "bridge-address",
] as const;

/** One of `DIFFICULTIES`. */
export type Difficulty = (typeof DIFFICULTIES)[number];
