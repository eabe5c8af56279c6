/** What a process and its children use, by the kernel's account. */
import { readFileSync } from "node:fs";

export interface Usage {
  /** Percent of one core over the time watched. */
  readonly cpuPercent: number;
  readonly rssMaxMb: number;
}

export interface AgentUsage {
  /** The agent itself. */
  readonly agent: Usage;
  /** The programs that it runs: conntrack, above all. */
  readonly children: Usage;
}

interface Sample {
  readonly cpuTicks: number;
  readonly waitedTicks: number;
  readonly rssBytes: number;
}

const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;
const SAMPLE_MS = 250;

/** Watches from its construction to `end`. */
export class UsageWatch {
  readonly #pid: number;
  readonly #startMs = performance.now();
  readonly #start: Sample;
  /** Ticks of each child when first and last seen: one that ended is counted by its parent instead. */
  readonly #children = new Map<number, { readonly first: number; last: number }>();
  readonly #timer: NodeJS.Timeout;
  #agentRssBytes = 0;
  #childrenRssBytes = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#start = sampleOf(pid) ?? { cpuTicks: 0, waitedTicks: 0, rssBytes: 0 };
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  end(): AgentUsage {
    clearInterval(this.#timer);
    this.#sample();
    const seconds = (performance.now() - this.#startMs) / 1000;
    const now = sampleOf(this.#pid) ?? this.#start;
    const percent = (ticks: number): number => round((ticks / TICKS_PER_S / seconds) * 100);
    const alive = [...this.#children].filter(([pid]) => sampleOf(pid) !== undefined);
    const ended = now.waitedTicks - this.#start.waitedTicks;
    const childrenTicks = alive.reduce((sum, [, { first, last }]) => sum + last - first, ended);
    return {
      agent: {
        cpuPercent: percent(now.cpuTicks - this.#start.cpuTicks),
        rssMaxMb: megabytes(this.#agentRssBytes),
      },
      children: {
        cpuPercent: percent(childrenTicks),
        rssMaxMb: megabytes(this.#childrenRssBytes),
      },
    };
  }

  #sample(): void {
    this.#agentRssBytes = Math.max(this.#agentRssBytes, sampleOf(this.#pid)?.rssBytes ?? 0);
    let rssBytes = 0;
    for (const pid of childrenOf(this.#pid)) {
      const sample = sampleOf(pid);
      if (sample === undefined) continue;
      rssBytes += sample.rssBytes;
      const known = this.#children.get(pid);
      if (known === undefined) {
        this.#children.set(pid, { first: sample.cpuTicks, last: sample.cpuTicks });
      } else known.last = sample.cpuTicks;
    }
    this.#childrenRssBytes = Math.max(this.#childrenRssBytes, rssBytes);
  }
}

function sampleOf(pid: number): Sample | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === "") return undefined;
  // What follows the program's name, which may hold anything, begins with field 3.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const at = (field: number): number => Number(fields[field - 3]);
  return {
    cpuTicks: at(14) + at(15),
    waitedTicks: at(16) + at(17),
    rssBytes: at(24) * PAGE_BYTES,
  };
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function megabytes(bytes: number): number {
  return round(bytes / 1024 / 1024);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
