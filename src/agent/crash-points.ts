/**
 * Every place where the order of effects matters if the agent dies there; a test kills it at each.
 * In the order in which an entry passes them.
 */
import { AgentError } from "./agent-error.ts";

export const CRASH_POINTS = [
  "identity-created",
  "enrolment-answered",
  "entry-numbered",
  "body-closed",
  "body-queued",
  "frame-appended",
  "frame-synced",
  "batch-sent",
  "receipt-verified",
  "receipt-kept",
  "opt-out-begun",
  "opt-out-sealed",
  "opt-out-acked",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Called on passing a point; in production it does nothing. */
export type CrashAt = (point: CrashPoint) => void;

/**
 * For tests: dies by SIGKILL at the point that `TALLYSTICK_CRASH_AT` names (`name#3`: at the third
 * pass). Throws for a name that is none: a test that kills nothing must not pass.
 */
export function crashAtFrom(value: string | undefined): CrashAt {
  if (value === undefined || value === "") return () => undefined;
  const [name = "", pass = "1"] = value.split("#");
  let passesLeft = Number(pass);
  if (!(CRASH_POINTS as readonly string[]).includes(name) || !(passesLeft >= 1)) {
    throw new AgentError(
      "bad_option",
      `TALLYSTICK_CRASH_AT names no crash point, ${value}, unset it`,
    );
  }
  return (point) => {
    if (point === name && --passesLeft === 0) process.kill(process.pid, "SIGKILL");
  };
}
