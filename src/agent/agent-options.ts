/** What `tallystick-agent run` is told, checked; and what tests and the demo may hand in besides. */
import type { EnrolmentKey } from "../format/enrolment.ts";
import type { Entry } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import type { Level } from "./agent-log.ts";
import type { NetworkRule } from "./observe/address-scope.ts";

export const SOURCES = ["conntrack"] as const;
export type Source = (typeof SOURCES)[number];

export interface AgentOptions {
  readonly version: string;
  readonly server: string;
  readonly stateDirectory: string;
  /** Needed until the node is enrolled. */
  readonly key?: EnrolmentKey | undefined;
  readonly name: string;
  readonly sources: readonly Source[];
  readonly networks: readonly NetworkRule[];
  readonly allowHttp: boolean;
  readonly enableTracking: boolean;
  readonly spoolBytesMax: number;
  readonly logLevel: Level;
  /** Who refuses logging, `flag` or the variable's name; undefined: nobody. */
  readonly optOutOrigin?: string | undefined;
}

export type EmitEntry = (entry: Entry) => number;

/** What a test or the demo replaces. */
export interface AgentHooks {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly machineIdFile?: string;
  /** How long a stopping agent tries to deliver its last batches. */
  readonly stopFlushMsMax?: number;
  /**
   * Stands between the sources and the signature, as somebody with root on the node could: it may
   * call the given function with the entry, with another one, or not at all (then it returns a
   * number of its own invention).
   */
  readonly interceptEmit?: (emit: EmitEntry) => EmitEntry;
  /** Lines for the person at the terminal. */
  readonly print?: (line: string) => void;
  /** The agent observes, or has opted out. */
  readonly onReady?: (ready: ReadyFacts) => void;
}

export interface ReadyFacts {
  readonly node: string;
  readonly name: string;
  readonly optedOut: boolean;
}

/** Variables that refuse logging when they are truthy, in the order in which they are asked. */
export const OPT_OUT_VARIABLES = [
  "TALLYSTICK_NO_LOGS_NO_SUPPORT",
  "TS_NO_LOGS_NO_SUPPORT",
] as const;

/** Who refuses, if anybody does. */
export function optOutOrigin(flag: boolean, env: NodeJS.ProcessEnv): string | undefined {
  if (flag) return "flag";
  return OPT_OUT_VARIABLES.find((name) => isTruthy(env[name]));
}

function isTruthy(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
}
