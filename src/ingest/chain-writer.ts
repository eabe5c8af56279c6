/**
 * The one writer of chains: it advances a head and appends the batch in the same step, so the
 * journal's order and the heads' order are one. Whoever admits a batch (a node's, or the server's
 * own) goes through here.
 *
 * Order of effects for a batch: (1) head advances in memory, (2) append is called, (3) durable,
 * (4) ack. A crash before 3: the batch may or may not be there; nobody was told that it is. A crash
 * between 3 and 4: the node sends it again and gets the same receipt. An append that fails has an
 * unknown outcome: the writer stops for good, and `onFatal` ends the process.
 */
import { replaceFile } from "../std/durable-file.ts";
import type { Link } from "./chain.ts";
import type { ChainHeads, NodeChain, Place } from "./chain-heads.ts";
import { IngestError } from "./errors.ts";
import { encodeSnapshot, recoverHeads, type SnapshotFile } from "./head-snapshot.ts";
import type { JournalPort } from "./journal-port.ts";
import { SNAPSHOT_EVERY_RECORDS } from "./limits.ts";

export interface ChainWriterOptions {
  readonly journal: JournalPort;
  readonly snapshot: SnapshotFile;
  /** Called once. The process must end: its memory may be ahead of the disk. */
  readonly onFatal: (error: IngestError) => void;
  /** Default 100,000. */
  readonly snapshotEveryRecords?: number;
}

export interface Accepted {
  readonly place: Place;
  /** Resolves when the batch is durable; rejects with `journal_failed`. */
  readonly durable: Promise<void>;
}

export class ChainWriter {
  readonly #options: ChainWriterOptions;
  readonly #heads: ChainHeads;
  /** Per node, the newest append that is not durable yet. */
  readonly #inFlight = new Map<string, Promise<void>>();
  #failure: IngestError | undefined;
  #lastAppend: Promise<void> = Promise.resolve();
  #lastFrame: Uint8Array | undefined;
  #snapshotAt: number;
  #snapshot: Promise<void> = Promise.resolve();

  static async open(options: ChainWriterOptions): Promise<ChainWriter> {
    return new ChainWriter(options, await recoverHeads(options.snapshot, options.journal));
  }

  private constructor(options: ChainWriterOptions, heads: ChainHeads) {
    this.#options = options;
    this.#heads = heads;
    this.#snapshotAt = heads.nextIndex + this.#snapshotEvery;
  }

  get failure(): IngestError | undefined {
    return this.#failure;
  }

  get nextIndex(): number {
    return this.#heads.nextIndex;
  }

  /** Undefined before the node's first batch. The state may not be durable yet: see `settled`. */
  chain(nodeId: string): NodeChain | undefined {
    return this.#heads.get(nodeId);
  }

  /** Resolves when everything accepted of this node so far is durable. */
  settled(nodeId: string): Promise<void> {
    return this.#inFlight.get(nodeId) ?? Promise.resolve();
  }

  /** Throws `journal_failed` when an earlier append failed. The frame is the journal's from here on. */
  accept(nodeId: string, link: Link, frame: Uint8Array, receivedMs: number): Accepted {
    if (this.#failure !== undefined) throw this.#failure;
    const place = this.#heads.accept(nodeId, link, receivedMs);
    const durable = this.#append({ type: "batch", receivedMs, frame }, place.index);
    this.#inFlight.set(nodeId, durable);
    // Both branches: a rejection is for whoever awaits `durable`, this chain only cleans up.
    const clean = (): void => {
      if (this.#inFlight.get(nodeId) === durable) this.#inFlight.delete(nodeId);
    };
    durable.then(clean, clean);
    return { place, durable };
  }

  /** Keeps a frame that is no part of a chain; resolves with its index when durable. */
  async keepEvidence(frame: Uint8Array, receivedMs: number): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const index = this.#heads.skip();
    await this.#append({ type: "evidence", receivedMs, frame }, index);
    return index;
  }

  /** Waits for appends and writes the snapshot, so that the next start is short. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    await this.#lastAppend;
    await this.#snapshot;
    await this.#takeSnapshot();
  }

  get #snapshotEvery(): number {
    return this.#options.snapshotEveryRecords ?? SNAPSHOT_EVERY_RECORDS;
  }

  #append(record: Parameters<JournalPort["append"]>[0], index: number): Promise<void> {
    const durable = this.#options.journal.append(record).then(
      (written) => {
        if (written.index === index) return;
        throw this.#fail(`the journal gave index ${written.index}, expected ${index}`);
      },
      (cause: unknown) => {
        throw this.#fail("the journal did not take a record; its outcome is unknown", cause);
      },
    );
    durable.catch(() => undefined);
    this.#lastAppend = durable;
    this.#lastFrame = record.frame;
    if (index + 1 >= this.#snapshotAt) this.#snapshot = this.#takeSnapshot();
    return durable;
  }

  #fail(message: string, cause?: unknown): IngestError {
    if (this.#failure === undefined) {
      this.#failure = new IngestError("journal_failed", message, { cause });
      this.#options.onFatal(this.#failure);
    }
    return this.#failure;
  }

  /** Takes the text now and writes it when everything in it is durable. A failure costs a longer start, nothing else. */
  async #takeSnapshot(): Promise<void> {
    this.#snapshotAt = this.#heads.nextIndex + this.#snapshotEvery;
    if (this.#lastFrame === undefined) return;
    const { disk, path } = this.#options.snapshot;
    const text = encodeSnapshot(this.#heads, this.#lastFrame);
    const before = this.#snapshot;
    try {
      await this.#lastAppend;
      await before;
      await replaceFile(disk, path, text);
    } catch {
      // The former snapshot stays; the journal holds everything.
    }
  }
}
