/**
 * The searchable side: the store and the thread that fills it. Whatever happens to them, ingest
 * goes on; they are started again, and catch up from the journal.
 */
import { join } from "node:path";
import type { FindingDraft } from "../../reconcile/finding/findings.ts";
import { startDerive, type DeriveHandle } from "../../reconcile/derive/start-derive.ts";
import type { DurableEnd } from "../../journal/durable-end.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import { claimDatabase } from "../../store/foreign-tables.ts";
import { SCHEMA_MARK } from "../../store/schema.ts";
import { openStore, type Store } from "../../store/open-store.ts";
import { StoreError } from "../../store/store-error.ts";
import { aborted } from "../aborted.ts";
import { statementOf, type StoreReader, storeReader } from "../query/store-reader.ts";
import { RestartPause } from "./restart-pause.ts";

export interface SearchableOptions {
  readonly dataDir: string;
  /** Absent: the embedded engine. */
  readonly storeUrl?: string;
  /** Hex id of the server's own stream. */
  readonly serverId: string;
  readonly durableEnd: DurableEnd;
  readonly clock: Clock;
  readonly journalFindings: (findings: FindingDraft[]) => Promise<void>;
  readonly log: (line: string) => void;
}

const USABLE_EVERY_MS = 50;
/** How long a stop waits for the thread: what it has not committed is made again from the journal. */
const DERIVE_STOP_MS = 3_000;

export class Searchable {
  /** Of a store that is known to be ours: what others keep elsewhere is no answer. */
  readonly reader: StoreReader = storeReader(() => this.client);
  readonly #options: SearchableOptions;
  #store: Store | undefined;
  #derive: DeriveHandle | undefined;
  /** The newest known; a new thread begins at 0 and finds out. */
  #committed = 0;
  readonly #pause = new RestartPause();
  /** Set from a failure to the next try. */
  #retry: Timer | undefined;
  /** The try that is under way, or the last one. */
  #starting: Promise<void> = Promise.resolve();
  readonly #gone = new AbortController();
  readonly #listeners = new Set<() => void>();

  constructor(options: SearchableOptions) {
    this.#options = options;
  }

  /** One past the last journal record whose rows are searchable. */
  get committed(): number {
    this.#committed = Math.max(this.#committed, this.#derive?.progress.committed ?? 0);
    return this.#committed;
  }

  /** Calls whenever `committed` has grown; be short, do not throw. Returns what ends it. */
  onCommitted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens the store and starts the thread. Resolves also when that failed: it is tried again.
   * Throws `store_bad_options` and `store_foreign`: the administrator is still there to read them.
   */
  start(): Promise<void> {
    this.#starting = this.#start(true);
    return this.#starting;
  }

  async #start(isFirst: boolean): Promise<void> {
    const { clock, dataDir, storeUrl, serverId, log } = this.#options;
    const gone = this.#gone.signal;
    this.#retry = undefined;
    this.#pause.started(clock.monotonicMs());
    try {
      // What ended still listens to the journal.
      await Promise.race([this.#derive?.close(), aborted(gone)]);
      if (gone.aborted) return;
      const place =
        storeUrl === undefined ? { dataDir: join(dataDir, "store") } : { url: storeUrl };
      this.#store ??= await openStore({ clock, log, gone, ...place });
      if (storeUrl !== undefined) await claimDatabase(this.#store.client, serverId, gone);
      if (gone.aborted) return;
      this.#derive = this.#startDerive(this.#store);
    } catch (error) {
      if (isFirst && isWrongOption(error)) throw error;
      this.#startLater("the store cannot be opened", error);
    }
  }

  /** Of a store that is known to be ours; undefined while there is none. */
  get client(): Store["client"] | undefined {
    return this.#derive === undefined ? undefined : this.#store?.client;
  }

  /** True when queries are answered; false when the store failed, or does not answer within `maxMs`. */
  async usable(maxMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + maxMs;
    while (this.#mayBeUsable && clock.monotonicMs() < endMs) {
      if (await this.#answers()) return true;
      await new Promise<void>((resolve) => clock.after(USABLE_EVERY_MS, resolve));
    }
    return false;
  }

  /** Also while it starts. Takes some seconds at most, whatever the store does. */
  async close(): Promise<void> {
    this.#gone.abort();
    this.#retry?.cancel();
    await this.#starting.catch(() => undefined);
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(DERIVE_STOP_MS, late.resolve);
    await Promise.race([this.#derive?.close(), late.promise]);
    timer.cancel();
    await this.#store?.close();
  }

  get #mayBeUsable(): boolean {
    return this.#retry === undefined && !this.#gone.signal.aborted;
  }

  /** Tables and views are made by the thread that derives, after the engine serves: the last of them is asked for. */
  async #answers(): Promise<boolean> {
    try {
      await this.reader.rows(statementOf(`SELECT count() FROM ${SCHEMA_MARK}`));
      return true;
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  #startDerive(store: Store): DeriveHandle {
    const { dataDir, storeUrl, serverId, durableEnd, log } = this.#options;
    const address = store.address;
    return startDerive(
      {
        journalDir: join(dataDir, "journal"),
        intentPath: join(dataDir, "derive", "intent"),
        store:
          address === undefined
            ? { kind: "url", url: storeUrl ?? "" }
            : { kind: "engine", address },
        serverId,
      },
      {
        durableEnd,
        journalFindings: (findings) => this.#options.journalFindings(findings),
        engineReady: (maxMs) => store.engine?.ready(maxMs) ?? Promise.resolve(),
        log,
        onCommitted: () => {
          for (const listener of this.#listeners) listener();
        },
        onFailure: (error) => this.#startLater("deriving stopped", error),
      },
    );
  }

  #startLater(what: string, error: unknown): void {
    if (this.#gone.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    const { clock, log } = this.#options;
    const pauseMs = this.#pause.failed(clock.monotonicMs());
    log(`${what}, trying again in ${pauseMs / 1000} s: ${reason}`);
    this.#retry = clock.after(pauseMs, () => {
      this.#starting = this.#start(false);
    });
  }
}

function isWrongOption(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === "store_bad_options" || error.code === "store_foreign")
  );
}
