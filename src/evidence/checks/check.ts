/** One thing that was looked at, and what came out. */

/** `open`: nothing in the file decides it, and the detail says who could. */
export type Outcome = "holds" | "fails" | "open";

export interface Check {
  readonly subject: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

export function holds(subject: string, detail: string): Check {
  return { subject, outcome: "holds", detail };
}

export function fails(subject: string, detail: string): Check {
  return { subject, outcome: "fails", detail };
}

export function open(subject: string, detail: string): Check {
  return { subject, outcome: "open", detail };
}

/** Fails with the first reasons, or holds. */
export function unless(subject: string, reasons: readonly string[], detail: string): Check {
  if (reasons.length === 0) return holds(subject, detail);
  const [first = ""] = reasons;
  const more = reasons.length === 1 ? "" : `; and ${reasons.length - 1} more`;
  return fails(subject, `${first}${more}`);
}
