/**
 * What a host of the long run talks with: `node test/mesh/long/chatter.ts` serves, reads one plan as
 * a JSON line, and calls others by it until the next line. Then it lets go of what lasts, waits for
 * the rest, and prints how much it made of each kind. Every call is also a line of the plan's log.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../../../src/std/seeded-random.ts";
import { serve } from "./answer.ts";
import { place } from "./call.ts";
import type { Kind } from "./kinds.ts";

export interface Calls {
  readonly kind: Kind;
  readonly to: readonly string[];
  /** On average. */
  readonly everyMs: number;
  /** In turn; absent: the kernel's choice. */
  readonly fromPorts?: readonly number[];
}

export interface Plan {
  readonly seed: number;
  readonly log: string;
  readonly calls: readonly Calls[];
}

/** Calls by kind that left the host, and those that failed, by error. */
export interface Account {
  readonly made: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
}

/** More at once of one kind and host would measure the chatter's own queue. */
const AT_ONCE_MAX = 40;
/** Nothing was sent. */
const NOT_MADE = new Set(["EADDRINUSE", "EADDRNOTAVAIL"]);

class Chatter {
  readonly #stop = new AbortController();
  readonly #made: Record<string, number> = {};
  readonly #failed: Record<string, number> = {};
  readonly #calls = new Set<Promise<void>>();
  readonly #loops: Promise<void>[];
  readonly #log: WriteStream;

  constructor(plan: Plan) {
    this.#log = createWriteStream(plan.log, { flags: "a" });
    const random = new SeededRandom(plan.seed);
    this.#loops = plan.calls.map((calls) => this.#loop(calls, random.fork()));
  }

  async end(): Promise<Account> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    await Promise.all(this.#calls);
    await new Promise<void>((resolve) => void this.#log.end(() => resolve()));
    return { made: this.#made, failed: this.#failed };
  }

  async #loop(calls: Calls, random: SeededRandom): Promise<void> {
    const { signal } = this.#stop;
    const ports = calls.fromPorts ?? [];
    const running = new Set<Promise<void>>();
    for (let turn = 0; !signal.aborted; turn++) {
      const wait = sleep(calls.everyMs * (0.5 + random.fraction()), undefined, { signal });
      await wait.catch(() => undefined);
      if (signal.aborted || running.size >= AT_ONCE_MAX) continue;
      const fromPort = ports[turn % ports.length];
      const call = this.#one(calls, random.fork(), fromPort);
      this.#calls.add(call);
      running.add(call);
      void call.finally(() => this.#calls.delete(call) && running.delete(call));
    }
  }

  async #one({ kind, to }: Calls, random: SeededRandom, fromPort?: number): Promise<void> {
    const peer = random.pick(to);
    const startedMs = Date.now();
    const port = fromPort === undefined ? {} : { fromPort };
    let error = "";
    try {
      await place({ kind, to: peer, random, signal: this.#stop.signal, ...port });
    } catch (cause) {
      error = (cause as NodeJS.ErrnoException).code ?? String(cause);
    }
    const line = { kind, peer, ...port, startedMs, tookMs: Date.now() - startedMs, error };
    this.#log.write(`${JSON.stringify(line)}\n`);
    if (error !== "") count(this.#failed, `${kind} ${error}`);
    if (!NOT_MADE.has(error)) count(this.#made, kind);
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

if (import.meta.main) {
  await serve();
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  let chatter: Chatter | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (chatter === undefined) {
      chatter = new Chatter(JSON.parse(line) as Plan);
      continue;
    }
    const account = await chatter.end();
    process.stdout.write(`${JSON.stringify({ ended: true, ...account })}\n`);
  }
  process.exit(0);
}
