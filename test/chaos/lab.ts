/**
 * One run: a thread makes the traffic, this one admits it, another compares it, and at the end what
 * was found is held against what was done.
 */
import { Worker } from "node:worker_threads";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { KIND } from "./finding-names.ts";
import type { FromGenerator, GenerateOrders } from "./generate.ts";
import { Intake } from "./intake.ts";
import type { LabOptions } from "./options.ts";
import type { Found, Outcome } from "./outcome.ts";
import { threadCpuMs } from "./thread-cpu.ts";
import type { Truth } from "./truth.ts";

/** Told now and then, for people who wait. */
export type Progress = (told: { readonly share: number; readonly findings: number }) => void;

const MEGABYTE = 1024 * 1024;

export async function runLab(options: LabOptions, progress: Progress = () => {}): Promise<Outcome> {
  const found = new Map<string, Found>();
  const onFinding = (finding: FindingDraft, atMs: number) => {
    // The same id again only changes its state.
    if (!found.has(finding.id)) found.set(finding.id, foundOf(finding, atMs));
  };
  const intake = await Intake.open({ seed: options.seed, onFinding });
  const begunMs = performance.now();
  const cpuFromMs = threadCpuMs();
  const lab = new Lab(intake, options, () => progress({ share: lab.share, findings: found.size }));
  try {
    const made = await lab.run();
    const compared = await intake.end();
    return {
      options,
      // What the admission finds itself is told at once, what the comparison concludes some ticks later.
      found: [...found.values()].toSorted((a, b) => a.atMs - b.atMs),
      truths: made.truths,
      connections: made.connections,
      entries: compared.entries,
      verdicts: Object.fromEntries(compared.verdicts),
      honestRefusals: Object.fromEntries(lab.refusals),
      answers: Object.fromEntries(intake.counts),
      journalBytes: intake.journalBytes,
      totalMs: performance.now() - begunMs,
      generatorCpuMs: made.cpuMs,
      admissionCpuMs: threadCpuMs() - cpuFromMs,
      comparerCpuMs: compared.cpuMs,
      rssMaxMb: Math.round(lab.rssMaxBytes / MEGABYTE),
    };
  } finally {
    await intake.stop();
  }
}

interface End {
  readonly truths: readonly Truth[];
  readonly connections: number;
  readonly cpuMs: number;
}

class Lab {
  share = 0;
  rssMaxBytes = 0;
  /** Codes with which frames of honest nodes were refused. */
  readonly refusals = new Map<string, number>();
  readonly #intake: Intake;
  readonly #options: LabOptions;
  readonly #tell: () => void;
  readonly #taken = new Int32Array(new SharedArrayBuffer(4));
  #slices = 0;

  constructor(intake: Intake, options: LabOptions, tell: () => void) {
    this.#intake = intake;
    this.#options = options;
    this.#tell = tell;
  }

  /** Resolves when all is admitted; rejects when the generator or the comparison fails. */
  async run(): Promise<End> {
    const orders: GenerateOrders = { options: this.#options, taken: this.#taken };
    const worker = new Worker(new URL("./generate.ts", import.meta.url), { workerData: orders });
    const ended = Promise.withResolvers<End>();
    let tail: Promise<void> = Promise.resolve();
    worker.on("message", (message: FromGenerator) => {
      tail = tail
        .then(() => this.#take(message))
        .then((end) => (end === undefined ? undefined : ended.resolve(end)));
      tail.catch(ended.reject);
    });
    worker.on("error", ended.reject);
    try {
      return await ended.promise;
    } finally {
      await worker.terminate();
    }
  }

  async #take(message: FromGenerator): Promise<End | undefined> {
    if (message.kind === "end") return message;
    if (message.kind === "members") await this.#intake.enrol(message.members);
    else await this.#takeSlice(message);
    return undefined;
  }

  async #takeSlice(slice: FromGenerator & { kind: "slice" }): Promise<void> {
    let from = 0;
    for (const [index, length] of slice.lengths.entries()) {
      const frame = slice.bytes.subarray(from, from + length);
      from += length;
      const code = await this.#intake.take({ frame, atMs: slice.atMs[index] ?? slice.endMs });
      if (code === undefined || slice.isHostile[index] === true) continue;
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    }
    await this.#intake.passTo(slice.endMs);
    this.#slices++;
    Atomics.store(this.#taken, 0, this.#slices);
    Atomics.notify(this.#taken, 0);
    if (this.#slices % 20 !== 0) return;
    this.rssMaxBytes = Math.max(this.rssMaxBytes, process.memoryUsage.rss());
    const { trafficMs, drainMs } = this.#options;
    this.share = (this.#slices * 1_000) / (trafficMs + drainMs);
    this.#tell();
  }
}

function foundOf(finding: FindingDraft, atMs: number): Found {
  const { id, finding: kind, node, connection, title, evidence } = finding;
  const several = Array.isArray(evidence["nodes"]) ? (evidence["nodes"] as string[]) : [];
  const between = kind === KIND.missing || kind === KIND.differs ? several : [];
  return { id, kind, nodes: node === "" ? several : [node], between, connection, title, atMs };
}
