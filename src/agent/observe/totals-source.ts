/**
 * Writes down every five minutes, at the start and at the end, what the node's interfaces and
 * WireGuard peers carried. It reads a few small files each time, and nothing in between.
 */
import type { Clock, Timer } from "../../std/clock.ts";
import type { LogEntry, PeerTotals, TotalsEntry } from "../../format/entry.ts";
import { INTERFACES_MAX } from "../../format/limits.ts";
import { type NodeInterfaces, readInterfaces } from "./interface-totals.ts";
import { TOTALS_INTERVAL_MS } from "./limits.ts";
import { claimingInterfaces } from "./own-addresses.ts";
import { readPeers } from "./wireguard-peers.ts";

export interface TotalsSourceOptions {
  readonly clock: Clock;
  readonly emit: (entry: TotalsEntry | LogEntry) => number;
  /** For tests. */
  readonly interfaces?: () => NodeInterfaces;
  readonly peers?: () => Promise<readonly PeerTotals[]>;
}

export class TotalsSource {
  readonly #options: TotalsSourceOptions;
  #timer: Timer | undefined;
  /** Readings follow each other. */
  #reading: Promise<void> = Promise.resolve();
  /** What was complained of, each once. */
  readonly #said = new Set<string>();

  constructor(options: TotalsSourceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#read();
    this.#timer = this.#options.clock.after(TOTALS_INTERVAL_MS, () => this.start());
  }

  /** Writes a last time. Never rejects. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#read();
    await this.#reading;
  }

  #read(): void {
    this.#reading = this.#reading.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { clock, emit, interfaces = () => readInterfaces(claimingInterfaces()) } = this.#options;
    try {
      const { totals, hasWireGuard } = interfaces();
      const atMs = clock.nowMs();
      if (totals.length > INTERFACES_MAX) throw new Error(`more than ${INTERFACES_MAX} interfaces`);
      const peers = hasWireGuard ? await this.#peers() : undefined;
      emit({
        kind: "totals",
        atMs,
        interfaces: totals,
        ...(peers === undefined ? {} : { peers }),
      });
    } catch (error) {
      this.#warn(`what the interfaces carried is not known: ${textOf(error)}`);
    }
  }

  async #peers(): Promise<readonly PeerTotals[] | undefined> {
    const { peers = readPeers } = this.#options;
    try {
      return await peers();
    } catch (error) {
      this.#warn(`what WireGuard's peers carried is not known: ${textOf(error)}`);
      return undefined;
    }
  }

  #warn(body: string): void {
    if (this.#said.has(body) || this.#said.size > 9) return;
    this.#said.add(body);
    const { clock, emit } = this.#options;
    emit({ kind: "log", severity: 13, body, attributes: { part: "observe" }, atMs: clock.nowMs() });
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
