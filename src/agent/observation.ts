/**
 * The sources, kept running across epochs, and the checkpoint of the halves that are open. A half
 * is named by its epoch and number: when a new epoch begins, the halves of the former one end in
 * the tracker, and the next dump of the kernel's table opens what still lives under new names.
 */
import type { Entry } from "../format/entry.ts";
import type { Clock, Timer } from "../std/clock.ts";
import { readJsonHint, replaceFile } from "./json-file.ts";
import { bringForward } from "./observe/checkpoint.ts";
import type { NetworkRule } from "./observe/address-scope.ts";
import type { Half } from "./observe/half-table.ts";
import type { HostSettings } from "./observe/host-settings.ts";
import { observeConnections, type Observation } from "./observe/observe-connections.ts";
import { CHECKPOINT_HALVES_MAX, CHECKPOINT_MS } from "./limits.ts";

export interface ObservationOptions {
  readonly clock: Clock;
  /** Reads, and where that was asked for sets, what the kernel must do; undone by each stop. */
  readonly prepareHost: () => Promise<HostSettings>;
  readonly networks: readonly NetworkRule[];
  readonly emit: (entry: Entry) => number;
  readonly liveFile: string;
  readonly nextSeq: () => number;
  readonly epoch: () => number;
}

interface Checkpoint {
  readonly epoch: number;
  /** Entries from this number on came after the snapshot. */
  readonly seq: number;
  readonly halves: Half[];
}

type Numbered = readonly [seq: number, entry: Entry];

export class RunningObservation {
  readonly #options: ObservationOptions;
  #observation: Observation | undefined;
  #timer: Timer | undefined;
  /** Restarts follow each other; stopping waits for the last. */
  #changing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ObservationOptions) {
    this.#options = options;
  }

  get completeToMs(): number {
    return this.#observation?.completeToMs() ?? 0;
  }

  get liveHalves(): number {
    return this.#observation?.liveHalves() ?? 0;
  }

  /** Takes up the halves of the run before, if they are of this epoch. */
  async start(
    host: HostSettings,
    entriesSince: (seq: number) => Iterable<Numbered>,
  ): Promise<void> {
    await this.#observe(host, this.#restored(entriesSince));
    this.#checkpointLater();
  }

  /** The halves opened before `seq` belong to a former epoch. */
  beginEpoch(seq: number): void {
    this.#changing = this.#restart(this.#changing, seq);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
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
    if (former === undefined || this.#stopped) return;
    const halves = former.snapshot().filter((half) => half.openSeq >= seq);
    await former.stop();
    await this.#observe(await this.#options.prepareHost(), halves);
  }

  async #observe(host: HostSettings, restored: readonly Half[]): Promise<void> {
    const { clock, networks, emit } = this.#options;
    this.#observation = await observeConnections({ clock, emit, host, networks, restored });
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
