/**
 * The whole of this folder as one thing: from the kernel to numbered entries.
 *
 * Order at a start: `HostSettings.prepare` (whose facts belong in the `start` entry), the `start`
 * entry, then `observeConnections`, which emits the claimed addresses first. At the end: `stop`,
 * a last `snapshot`, then the `stop` entry.
 */
import type { Clock, Timer } from "../../std/clock.ts";
import type {
  AddressesEntry,
  ConnectionEntry,
  DegradedEntry,
  GapEntry,
  LogEntry,
  TotalsEntry,
} from "../../format/entry.ts";
import { AddressScope, type LocalAddresses, type NetworkRule } from "./address-scope.ts";
import { ConntrackSource } from "./conntrack-source.ts";
import { Fence } from "./fence.ts";
import type { Half } from "./half-table.ts";
import type { HostSettings } from "./host-settings.ts";
import { ADDRESSES_POLL_MS, ADDRESSES_READ_MIN_MS, TICK_INTERVAL_MS } from "./limits.ts";
import { claimedAddresses, readLocalAddresses, sameAddresses } from "./own-addresses.ts";
import { PayloadNotes } from "./payload-notes.ts";
import { SocketSource } from "./socket-source.ts";
import { TableGuard } from "./table-guard.ts";
import { TotalsSource } from "./totals-source.ts";
import { Tracker } from "./tracker.ts";

export type ObservedEntry =
  | ConnectionEntry
  | GapEntry
  | DegradedEntry
  | LogEntry
  | AddressesEntry
  | TotalsEntry;

export interface ObserveOptions {
  readonly clock: Clock;
  /**
   * Numbers an entry and hands it on; returns its `seq`. Called synchronously, up to tens of
   * thousands of times a second, so it must neither wait nor throw: an entry that it cannot keep is
   * its own loss to admit.
   */
  readonly emit: (entry: ObservedEntry) => number;
  readonly host: HostSettings;
  /** Which networks addresses belong to; the first that fits counts, else `default`. */
  readonly networks?: readonly NetworkRule[];
  /** Halves of the run before (checkpoint.ts), in the same epoch. */
  readonly restored?: readonly Half[];
  /** Record SCTP, GRE and others too. Default false. */
  readonly allProtocols?: boolean;
  /** Program and leading arguments. Default `["conntrack"]`. */
  readonly command?: readonly string[];
  /** Prints the TCP sockets that ended. Default: `ss`. */
  readonly socketCommand?: readonly string[];
}

export interface Observation {
  /** Unix ms for `complete_to`: all before has been emitted or is in a gap. 0 until first known. */
  completeToMs(): number;
  /** Plain copies of the halves that later entries may refer to, for the checkpoint. */
  snapshot(): Half[];
  liveHalves(): number;
  readerPid(): number | undefined;
  socketReaderPid(): number | undefined;
  /** Reads what is still unread, ends the readers, takes back what was set on the host. No entry is emitted afterwards. */
  stop(): Promise<void>;
}

/** How long a stop waits for events that the kernel has told already. */
const DRAIN_MS = 1000;

export async function observeConnections(options: ObserveOptions): Promise<Observation> {
  const { clock, host, command = ["conntrack"] } = options;
  const payload = new PayloadBytesOfEnds(options);
  const emit = (entry: ObservedEntry): number => payload.pass(entry);
  const addresses = new AddressClaims(options);
  addresses.start();
  const { scope } = addresses;
  const fence = await Fence.open(clock).catch((error: unknown) => {
    addresses.stop();
    throw error;
  });
  const { udpTimeouts } = host;
  const { allProtocols = false } = options;
  const { notes } = payload;
  const tracker = new Tracker({ clock, emit, scope, udpTimeouts, allProtocols, payload: notes });
  tracker.restore(options.restored ?? []);
  const enlargeBuffer = (): (() => void) => host.enlargeBuffer();
  const source = new ConntrackSource({ clock, emit, tracker, fence, command, enlargeBuffer });
  const guard = guardTable({ ...options, emit });
  source.start();
  payload.start(() => source.completeToMs());
  const totals = new TotalsSource({ clock, emit });
  totals.start();
  return {
    completeToMs: () => source.completeToMs(),
    snapshot: () => tracker.snapshot(),
    liveHalves: () => tracker.liveHalves,
    readerPid: () => source.readerPid,
    socketReaderPid: () => payload.readerPid,
    async stop() {
      addresses.stop();
      guard?.stop();
      await source.drain(DRAIN_MS);
      payload.stop();
      await totals.stop();
      source.stop();
      fence.close();
      await host.restore();
    },
  };
}

/** Claims the addresses as they are now, and again whenever they are seen to have changed. */
class AddressClaims {
  readonly scope: AddressScope;
  readonly #clock: Clock;
  readonly #emit: (entry: AddressesEntry) => number;
  #local: LocalAddresses | undefined;
  #readMonotonicMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor({ clock, emit, networks = [] }: ObserveOptions) {
    this.#clock = clock;
    this.#emit = emit;
    this.scope = new AddressScope(networks, () => this.#refresh());
  }

  start(): void {
    this.#refresh();
    this.#timer = this.#clock.after(ADDRESSES_POLL_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #refresh(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#readMonotonicMs + ADDRESSES_READ_MIN_MS) return;
    this.#readMonotonicMs = nowMs;
    const local = readLocalAddresses();
    if (this.#local !== undefined && sameAddresses(this.#local, local)) return;
    this.#local = local;
    this.scope.update(local);
    const networks = claimedAddresses(local, (address) => this.scope.networkOf(address));
    this.#emit({ kind: "addresses", networks, atMs: this.#clock.nowMs() });
  }
}

/** What the sockets counted, beside the kernel's events: paused where only beginnings and ends are read. */
class PayloadBytesOfEnds {
  readonly notes: PayloadNotes;
  readonly #clock: Clock;
  readonly #emit: (entry: ObservedEntry) => number;
  readonly #sockets: SocketSource;
  #timer: Timer | undefined;

  constructor({ clock, emit, socketCommand: command }: ObserveOptions) {
    this.#clock = clock;
    this.#emit = emit;
    this.notes = new PayloadNotes(clock);
    const onSocketEnd = this.notes.ended.bind(this.notes);
    this.#sockets = new SocketSource({
      clock,
      emit,
      onSocketEnd,
      ...(command === undefined ? {} : { command }),
    });
  }

  get readerPid(): number | undefined {
    return this.#sockets.pid;
  }

  start(completeToMs: () => number): void {
    this.#sockets.start();
    const settle = (): void => {
      this.notes.settle(completeToMs());
      this.#timer = this.#clock.after(TICK_INTERVAL_MS, settle);
    };
    settle();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#sockets.stop();
  }

  /** Hands an entry on, and heeds what it says. */
  pass(entry: ObservedEntry): number {
    if (entry.kind === "gap") this.notes.interrupted();
    if (entry.kind === "degraded") {
      if (entry.events === "all") this.#sockets.start();
      else this.#sockets.pause();
    }
    return this.#emit(entry);
  }
}

function guardTable({ clock, emit, host }: ObserveOptions): TableGuard | undefined {
  if (host.rule === undefined) return undefined;
  const tableFill = (): number => host.tableFill();
  const guard = new TableGuard({ clock, emit, rule: host.rule, tableFill });
  guard.start();
  return guard;
}
