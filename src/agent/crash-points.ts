/**
 * Every place where the order of effects matters if the agent dies there; a test kills it at each.
 * In the order in which an entry passes them.
 */
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
