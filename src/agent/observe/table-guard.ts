/**
 * Never harm the host: when the kernel's connection table fills up, packets of new connections are
 * dropped. So the agent takes its own rule away well before, and puts it back when there is room.
 * In between nobody may be tracking: a gap says so.
 */
import type { Clock, Timer } from "../../std/clock.ts";
import type { DegradedEntry, GapEntry, LogEntry } from "../../format/entry.ts";
import type { TrackingRule } from "./tracking-rule.ts";

export interface TableGuardOptions {
  readonly clock: Clock;
  readonly emit: (entry: GapEntry | DegradedEntry | LogEntry) => number;
  readonly rule: Pick<TrackingRule, "add" | "remove" | "isActive">;
  /** How full the table is, 0 to 1. */
  readonly tableFill: () => number;
}

const REMOVE_ABOVE = 0.8;
const ADD_BELOW = 0.6;
const CHECK_INTERVAL_MS = 1000;

export class TableGuard {
  readonly #options: TableGuardOptions;
  #timer: Timer | undefined;
  #stopped = false;
  #removedAtMs: number | undefined;

  constructor(options: TableGuardOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.after(CHECK_INTERVAL_MS, () => void this.#check());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#endGap();
  }

  async #check(): Promise<void> {
    const fill = this.#options.tableFill();
    if (this.#removedAtMs === undefined && fill >= REMOVE_ABOVE) await this.#relieve(fill);
    else if (this.#removedAtMs !== undefined && fill < ADD_BELOW) await this.#resume(fill);
    if (!this.#stopped) this.start();
  }

  async #relieve(fill: number): Promise<void> {
    const { clock, emit, rule } = this.#options;
    const atMs = clock.nowMs();
    const failure = await rule.remove();
    if (this.#stopped) return;
    if (failure !== undefined) {
      const body = `the connection table is ${percent(fill)} full and the agent's rule could not be removed: ${failure}`;
      emit({ kind: "log", severity: 17, body, attributes: { part: "observe" }, atMs });
      return;
    }
    this.#removedAtMs = atMs;
    const reason = `the kernel's connection table is ${percent(fill)} full`;
    emit({ kind: "degraded", events: "none", reason, atMs });
  }

  async #resume(fill: number): Promise<void> {
    const { clock, emit, rule } = this.#options;
    const failure = await rule.add();
    if (this.#stopped || failure !== undefined) return;
    this.#endGap();
    const reason = `the kernel's connection table is ${percent(fill)} full again`;
    emit({ kind: "degraded", events: "all", reason, atMs: clock.nowMs() });
  }

  #endGap(): void {
    const fromMs = this.#removedAtMs;
    if (fromMs === undefined) return;
    this.#removedAtMs = undefined;
    const { clock, emit } = this.#options;
    const toMs = Math.max(fromMs, clock.nowMs());
    emit({ kind: "gap", cause: "pressure", count: null, fromMs, toMs, atMs: toMs });
  }
}

function percent(fill: number): string {
  return `${Math.round(fill * 100)} %`;
}
