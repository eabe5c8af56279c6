/** What a stretch of time left of this machine's processors, by /proc/stat. */
import { readFileSync } from "node:fs";

export interface MachineShare {
  /** Percent of all processors that nobody used. */
  readonly idlePercent: number;
  /** Percent that the hypervisor gave to other machines: a figure taken while it is high is theirs. */
  readonly stealPercent: number;
}

const IDLE = 3;
const STEAL = 7;

/** Watches from this call to the call of what it returns. */
export function watchMachine(): () => MachineShare {
  const before = ticks();
  return () => {
    const spent = ticks().map((now, at) => now - (before[at] ?? 0));
    const all = spent.reduce((sum, one) => sum + one, 0);
    const percent = (at: number): number => Math.round(((spent[at] ?? 0) / all) * 100);
    return { idlePercent: percent(IDLE), stealPercent: percent(STEAL) };
  };
}

/** user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already. */
function ticks(): number[] {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n", 1);
  return line.trim().split(/\s+/).slice(1, 9).map(Number);
}
