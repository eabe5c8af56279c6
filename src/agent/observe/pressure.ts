/**
 * Whether to read all of the kernel's events or only beginnings and ends, decided once a second
 * from what was measured. Going down is quick: each second of overload loses events. Coming back
 * needs calm, and more of it each time it proved too early.
 */
import type { Events } from "./event-reader.ts";

export interface Sample {
  /** Events that the kernel dropped in this second. */
  readonly dropped: number;
  /** Events read in this second, and how many of them were beginnings. */
  readonly read: number;
  readonly begun: number;
  /** Age of the oldest mark not yet read. */
  readonly lagMs: number;
}

export interface Decision {
  readonly events: Events;
  /** For the entry, when `events` differs from what was decided before. */
  readonly reason: string;
}

/** Two cores are busy at about 5,000 connections a second with 7 events each. */
const READ_PER_S_MAX = 35_000;
const LAG_MS_MAX = 2000;
/** With all events, 2,000 a second keep a third of two cores busy: well inside. */
const CALM_BEGUN_PER_S_MAX = 2500;
const CALM_LAG_MS_MAX = 1200;
const CALM_S_MIN = 30;
const CALM_S_MAX = 600;
/** A relapse within this time doubles the calm that is asked for. */
const RELAPSE_S = 120;

export class Pressure {
  #events: Events = "all";
  #calmS = 0;
  #neededS = CALM_S_MIN;
  #sinceChangeS = RELAPSE_S;
  #laggingS = 0;

  /** One second's measurements in, the decision out. */
  sample(sample: Sample): Decision {
    this.#sinceChangeS++;
    this.#laggingS = sample.lagMs > LAG_MS_MAX ? this.#laggingS + 1 : 0;
    return this.#events === "all" ? this.#whileAll(sample) : this.#whileEnds(sample);
  }

  #whileAll(sample: Sample): Decision {
    const reason = this.#overload(sample);
    if (reason === undefined) return { events: "all", reason: "" };
    if (this.#sinceChangeS < RELAPSE_S) this.#neededS = Math.min(CALM_S_MAX, this.#neededS * 2);
    else this.#neededS = CALM_S_MIN;
    return this.#change("ends", reason);
  }

  #overload({ dropped, read, lagMs }: Sample): string | undefined {
    if (dropped > 0) return `the kernel dropped ${dropped} events`;
    if (read > READ_PER_S_MAX) return `${read} events in a second`;
    // A reader that reads nothing at all is stopped, not overloaded: fewer events would not help.
    if (this.#laggingS >= 2 && read > 0) return `events are read ${Math.round(lagMs)} ms late`;
    return undefined;
  }

  #whileEnds({ dropped, begun, lagMs }: Sample): Decision {
    const calm = dropped === 0 && begun < CALM_BEGUN_PER_S_MAX && lagMs < CALM_LAG_MS_MAX;
    this.#calmS = calm ? this.#calmS + 1 : 0;
    if (this.#calmS < this.#neededS) return { events: "ends", reason: "" };
    return this.#change("all", `${this.#calmS} seconds of calm`);
  }

  #change(events: Events, reason: string): Decision {
    this.#events = events;
    this.#calmS = 0;
    this.#sinceChangeS = 0;
    return { events, reason };
  }
}
