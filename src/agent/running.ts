/** What every part of one run of the agent shares; made once, in run.ts. */
import type { Clock } from "../std/clock.ts";
import type { AgentLog } from "./agent-log.ts";
import type { AgentHooks, AgentOptions } from "./agent-options.ts";
import type { Machine } from "./machine.ts";
import type { StatePaths } from "./state-directory.ts";

export interface Running {
  readonly options: AgentOptions;
  readonly hooks: AgentHooks;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: AgentLog;
  readonly machine: Machine;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

/** Resolves when the run is to end. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
