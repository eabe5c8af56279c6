/**
 * The agent, with somebody standing between its sources and its signature: what root on a node can
 * do. Orders come on stdin, one JSON per line; without one it is honest. Everything that leaves the
 * node is properly signed all the same.
 */
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { runAgent } from "../src/agent/run.ts";
import type { EmitEntry } from "../src/agent/agent-options.ts";
import type { Entry, OpenEntry } from "../src/format/entry.ts";
import { parseEnrolmentKey } from "../src/format/enrolment.ts";

/** `forget`: leave out what is about this peer. `alter`: multiply the byte counts of what is about this peer. */
export interface Lie {
  readonly lie: "none" | "forget" | "alter";
  readonly peer?: string;
}

const FACTOR = 50;

/** Lies of several kinds at once; what began under one stays under it. */
export class Liar {
  #lies: readonly Lie[] = [];
  readonly #forgotten = new Set<number>();
  readonly #altered = new Set<number>();
  /** Numbers for entries that do not exist; the agent hands them back with what belongs to them. */
  #invented = -1;

  /** From now on, instead of what was told before. */
  tell(...lies: readonly Lie[]): void {
    this.#lies = lies;
  }

  /** Connections lied about so far. */
  get told(): number {
    return this.#forgotten.size + this.#altered.size;
  }

  readonly intercept = (emit: EmitEntry): EmitEntry => {
    return (entry) => {
      if (entry.kind === "open") return this.#open(entry, emit);
      if (!("openSeq" in entry)) return emit(entry);
      if (this.#forgotten.has(entry.openSeq)) return this.#invented--;
      return emit(this.#altered.has(entry.openSeq) ? inflated(entry) : entry);
    };
  };

  #open(entry: OpenEntry, emit: EmitEntry): number {
    const ends = [entry.tuple.initiatorIp, entry.tuple.responderIp];
    const told = this.#lies.find(({ peer }) => ends.includes(peer ?? ""))?.lie;
    if (told === "forget") {
      const seq = this.#invented--;
      this.#forgotten.add(seq);
      return seq;
    }
    const seq = emit(entry);
    if (told === "alter") this.#altered.add(seq);
    return seq;
  }
}

function inflated(entry: Entry): Entry {
  if (!("counters" in entry) || entry.counters === undefined) return entry;
  const { counters } = entry;
  return {
    ...entry,
    counters: {
      ...counters,
      initiatorBytes: counters.initiatorBytes * FACTOR,
      responderBytes: counters.responderBytes * FACTOR,
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      server: { type: "string" },
      key: { type: "string" },
      state: { type: "string" },
      name: { type: "string" },
    },
  });
  const liar = new Liar();
  createInterface({ input: process.stdin }).on("line", (line) => {
    liar.tell(JSON.parse(line) as Lie);
    console.log(JSON.stringify({ lying: true, told: liar.told }));
  });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => stop.abort(signal));
  await runAgent(
    {
      version: "demo",
      server: values.server ?? "",
      stateDirectory: values.state ?? "",
      key: parseEnrolmentKey(values.key ?? process.env["TALLYSTICK_KEY"] ?? ""),
      name: values.name ?? hostname(),
      sources: ["conntrack"],
      networks: [],
      allowHttp: false,
      enableTracking: true,
      spoolBytesMax: 64 * 1024 * 1024,
      logLevel: "info",
    },
    stop.signal,
    {
      interceptEmit: liar.intercept,
      onReady: () => console.log(JSON.stringify({ ready: true })),
    },
  );
  process.exit(0);
}
