/**
 * The sources, kept running across epochs, and the checkpoint of the halves that are open. A half
 * is named by its epoch and number: when a new epoch begins, the halves of the former one end in
 * the tracker, and the next dump of the kernel's table opens what still lives under new names.
 */
import type { Entry } from "../format/entry.ts";
import type { Clock, Timer } from "../std/clock.ts";
import { retry } from "../std/retry.ts";
import { readJsonHint, replaceFile } from "./json-file.ts";
import { bringForward } from "./observe/checkpoint.ts";
import type { NetworkRule } from "./observe/address-scope.ts";
import type { Half } from "./observe/half-table.ts";
import type { HostSettings } from "./observe/host-settings.ts";
import { observeConnections, type Observation } from "./observe/observe-connections.ts";
import { CHECKPOINT_HALVES_MAX, CHECKPOINT_MS, RETRY_FIRST_MS, RETRY_LAST_MS } from "./limits.ts";

export interface ObservationOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Reads, and where that was asked for sets, what the kernel must do; undone by each stop. */
  readonly prepareHost: () => Promise<HostSettings>;
  readonly networks: readonly NetworkRule[];
  readonly emit: (entry: Entry) => number;
  readonly liveFile: string;
  readonly nextSeq: () => number;
  readonly epoch: () => number;
  /** For tests. */
  readonly observe?: typeof observeConnections;
}

interface Checkpoint {
  readonly epoch: number;
  /** Entries from this number on came after the snapshot. */
  readonly seq: number;
  readonly halves: Half[];
}

const BACK_OFF = { firstDelayMs: RETRY_FIRST_MS, delayMsMax: RETRY_LAST_MS };

type Numbered = readonly [seq: number, entry: Entry];

export class RunningObservation {
  readonly #options: ObservationOptions;
  #observation: Observation | undefined;
  #timer: Timer | undefined;
  /** Restarts follow each other; stopping waits for the last. Never rejects. */
  #changing: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(options: ObservationOptions) {
    this.#options = options;
  }

  get completeToMs(): number {
    return this.#observation?.completeToMs() ?? 0;
  }

  get liveHalves(): number {
    return this.#observation?.liveHalves() ?? 0;
  }

  /** Takes up the halves of the run before, if they are of this epoch. What cannot begin now is tried again. */
  async start(
    host: HostSettings,
    entriesSince: (seq: number) => Iterable<Numbered>,
  ): Promise<void> {
    const fromMs = this.#options.clock.nowMs();
    const restored = this.#restored(entriesSince);
    try {
      await this.#observe(host, restored);
    } catch (error) {
      this.#warn(error);
      this.#changing = this.#observeLater(restored, fromMs);
    }
    this.#checkpointLater();
  }

  /** The halves opened before `seq` belong to a former epoch. */
  beginEpoch(seq: number): void {
    this.#changing = this.#restart(this.#changing, seq);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#changing;
    const observation = this.#observation;
    if (observation === undefined) return;
    this.#checkpoint();
    await observation.stop();
    this.#checkpoint();
  }

  async #restart(after: Promise<void>, seq: number): Promise<void> {
    await after;
    const former = this.#observation;
    if (former === undefined || this.#stopping.signal.aborted) return;
    const halves = former.snapshot().filter((half) => half.openSeq >= seq);
    let fromMs = this.#options.clock.nowMs();
    try {
      await former.stop();
      fromMs = this.#options.clock.nowMs();
      this.#observation = undefined;
      await this.#observe(await this.#options.prepareHost(), halves);
    } catch (error) {
      this.#observation = undefined;
      this.#warn(error);
      await this.#observeLater(halves, fromMs);
    }
  }

  /** Tries until it observes or is stopped: what nobody saw since `fromMs` is a gap. */
  async #observeLater(halves: readonly Half[], fromMs: number): Promise<void> {
    const { clock, random, prepareHost, emit } = this.#options;
    const { signal } = this.#stopping;
    try {
      const attempt = async (): Promise<void> => this.#observe(await prepareHost(), halves);
      await retry(attempt, { ...BACK_OFF, clock, random, signal });
    } catch (error) {
      if (!signal.aborted) this.#warn(error);
    }
    const atMs = clock.nowMs();
    const toMs = Math.max(fromMs, atMs);
    emit({ kind: "gap", cause: "restart", count: null, fromMs, toMs, atMs });
  }

  #warn(error: unknown): void {
    const { clock, emit } = this.#options;
    const body = `nothing is observed, which is tried again: ${String(error)}`;
    emit({
      kind: "log",
      severity: 17,
      body,
      attributes: { part: "observe" },
      atMs: clock.nowMs(),
    });
  }

  async #observe(host: HostSettings, restored: readonly Half[]): Promise<void> {
    const { clock, networks, emit, observe = observeConnections } = this.#options;
    try {
      this.#observation = await observe({ clock, emit, host, networks, restored });
    } catch (error) {
      await host.restore();
      throw error;
    }
  }

  #restored(entriesSince: (seq: number) => Iterable<Numbered>): Half[] {
    const saved = readJsonHint(this.#options.liveFile) as Checkpoint | undefined;
    if (saved?.epoch !== this.#options.epoch() || !Array.isArray(saved.halves)) return [];
    return bringForward(saved.halves, connectionEntries(entriesSince(saved.seq)));
  }

  #checkpointLater(): void {
    const { clock } = this.#options;
    const halves = this.liveHalves;
    // Many halves cost more to write: then it is done less often.
    const delayMs = Math.max(CHECKPOINT_MS, halves);
    this.#timer = clock.after(delayMs, () => {
      this.#checkpoint();
      this.#checkpointLater();
    });
  }

  #checkpoint(): void {
    const { liveFile, nextSeq, epoch } = this.#options;
    if (this.#observation === undefined || this.liveHalves > CHECKPOINT_HALVES_MAX) return;
    const halves = this.#observation.snapshot();
    const checkpoint: Checkpoint = { epoch: epoch(), seq: nextSeq(), halves };
    try {
      replaceFile(liveFile, JSON.stringify(checkpoint), false);
    } catch {
      // Without it the next start opens what lives anew, as `pickup`.
    }
  }
}

function* connectionEntries(
  entries: Iterable<Numbered>,
): Generator<readonly [number, Extract<Entry, { kind: "open" | "update" | "close" | "account" }>]> {
  for (const [seq, entry] of entries) {
    if (
      entry.kind === "open" ||
      entry.kind === "update" ||
      entry.kind === "close" ||
      entry.kind === "account"
    ) {
      yield [seq, entry];
    }
  }
}
