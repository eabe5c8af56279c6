/**
 * Places where a crash is interesting, by name. In production passing one does nothing. With
 * TALLYSTICK_CRASH_AT=name the process kills itself there with SIGKILL, so that a test can walk
 * CRASH_POINTS, in the order in which an entry passes them, and see what the next start makes of
 * each. `name#3` lets two passes go by.
 */
export const CRASH_POINTS = [
  "agent: identity created",
  "agent: enrolment answered",
  "agent: entry numbered",
  "agent: body closed",
  "agent: body queued",
  "agent: frame appended",
  "agent: frame synced",
  "agent: batch sent",
  "agent: receipt verified",
  "agent: receipt kept",
  "agent: opt-out begun",
  "agent: opt-out sealed",
  "agent: opt-out acked",
  "journal: segment created",
  "journal: segment header written",
  "journal: segment header synced",
  "journal: segment in directory",
  "journal: before write",
  "journal: written",
  "journal: synced",
  "journal: acknowledged",
  "journal: before truncating the tail",
  "journal: tail truncated",
  "control: planned",
  "control: staged",
  "control: journaled",
  "control: applying",
  "control: applied",
  "derive: findings journaled",
  "derive: intent written",
  "derive: block inserted",
  "derive: position written",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

interface Armed {
  readonly name: CrashPoint;
  passesLeft: number;
}

const armed = parseCrashAt(process.env["TALLYSTICK_CRASH_AT"]);

/** Dies here if this is the point that the environment names. */
export function crashPoint(name: CrashPoint): void {
  if (armed === undefined || armed.name !== name) return;
  armed.passesLeft--;
  if (armed.passesLeft === 0) process.kill(process.pid, "SIGKILL");
}

/** A wrong name throws: a test that kills nothing must not pass. */
export function parseCrashAt(value: string | undefined): Armed | undefined {
  if (value === undefined || value === "") return undefined;
  const [wanted, pass = "1"] = value.split("#");
  const name = CRASH_POINTS.find((point) => point === wanted);
  const passesLeft = Number(pass);
  if (name === undefined || !Number.isSafeInteger(passesLeft) || passesLeft < 1) {
    throw new Error(
      `TALLYSTICK_CRASH_AT is "${value}", which names no crash point; unset it, or use one of: ${CRASH_POINTS.join(", ")}`,
    );
  }
  return { name, passesLeft };
}
