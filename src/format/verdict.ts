/** What the comparison says of one connection; docs/glossary.md says what each means. */
export const VERDICTS = [
  "pending",
  "matched",
  "differs",
  "missing",
  "excused",
  "unanswered",
  "external",
] as const;
/** One of `VERDICTS`. */
export type Verdict = (typeof VERDICTS)[number];

/** Whether the counters of a connection are compared: not yet, finally, or never, because an end has none. */
export const COUNTER_STATES = ["pending", "final", "unavailable"] as const;
/** One of `COUNTER_STATES`. */
export type CounterState = (typeof COUNTER_STATES)[number];
