/**
 * From the kernel's events and table dumps to connection entries: which half an event belongs to,
 * when it began and ended, and what is said of it. No process, file or socket: events and the clock
 * come in, entries go out through `emit`, which numbers them there and then.
 *
 * The kernel's id is not a connection's identity: a tuple reused at once often has the same id. An
 * instance is the tuple, the id and the order of events.
 */
import type { Clock } from "../../std/clock.ts";
import type {
  Amendment,
  ConnectionEntry,
  ConnectionState,
  Counters,
  GapEntry,
  PayloadBytes,
} from "../../format/entry.ts";
import { TCP, UDP } from "../../format/protocol.ts";
import type { AddressScope } from "./address-scope.ts";
import type { ConntrackEvent } from "./conntrack-line.ts";
import { endState, liveState } from "./end-state.ts";
import { countersOf, openEntry } from "./half-entry.ts";
import { HalfTable, type Half } from "./half-table.ts";
import type { PayloadNotes } from "./payload-notes.ts";
import {
  DUMP_CANDIDATES_MAX,
  LIVE_HALVES_MAX,
  PERIODIC_UPDATE_AGE_MIN_MS,
  PROMPT_UPDATE_AFTER_MS,
} from "./limits.ts";

/** Numbers an entry and hands it on; the number is the half's name from then on. */
export type Emit = (entry: ConnectionEntry | GapEntry) => number;

/** How long the kernel waits after a UDP session's last packet before it forgets it. */
export interface UdpTimeouts {
  readonly unassuredMs: number;
  readonly assuredMs: number;
}

export interface TrackerOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly scope: AddressScope;
  readonly udpTimeouts: UdpTimeouts;
  /** Connections other than TCP and UDP are recorded too, ICMP never. Default false. */
  readonly allProtocols?: boolean;
  readonly liveHalvesMax?: number;
  /** Learns which halves are there, and writes into them what their sockets counted. */
  readonly payload?: Pick<PayloadNotes, "opened" | "gone">;
}

const ICMP = 1;
const ICMPV6 = 58;

interface Origin {
  readonly pickup: boolean;
  /** Not opened by its NEW. */
  readonly late: boolean;
  readonly muted: boolean;
}

interface Final {
  readonly state: ConnectionState;
  readonly atMs: number;
  readonly event: ConntrackEvent;
}

interface Prompt {
  readonly half: Half;
  readonly dueMs: number;
}

interface Dump {
  /** Entries of no known half; their NEW may still be unread, so they wait for the fence. */
  readonly unknown: ConntrackEvent[];
  /** Ids that ended while the table was read: an unknown entry with such an id is over. */
  readonly endedIds: Set<number>;
  readonly startedAtMs: number;
}

export class Tracker {
  readonly #options: TrackerOptions;
  readonly #liveHalvesMax: number;
  readonly #table = new HalfTable();
  #prompts: Prompt[] = [];
  #generation = 0;
  #dump: Dump | undefined;
  #firstDump = true;
  #turnedAway = { count: 0, fromMs: 0 };

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#liveHalvesMax = options.liveHalvesMax ?? LIVE_HALVES_MAX;
  }

  /** Halves in memory: open ones, and ended ones whose final counters are still to come. */
  get liveHalves(): number {
    return this.#table.size;
  }

  /** One event, as of `atMs` of this node's clock. */
  event(event: ConntrackEvent, atMs: number): void {
    if (!this.#isRecorded(event.protocol)) return;
    if (event.type === "new") this.#begin(event, atMs);
    else if (event.type === "update") this.#change(event, atMs);
    else if (event.type === "destroy") this.#end(event, atMs);
  }

  /** Says early what lasts, and admits what was turned away. Call a few times a second. */
  tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    let due = 0;
    for (const { half, dueMs } of this.#prompts) {
      if (dueMs > nowMs) break;
      due++;
      if (half.ended === null && !half.prompted)
        this.#update(half, this.#options.clock.nowMs(), undefined);
    }
    if (due > 0) this.#prompts = this.#prompts.slice(due);
    this.#admitTurnedAway();
  }

  /** A dump of the kernel's table begins. Its entries follow, then `endDump` or `abandonDump`. */
  beginDump(): void {
    this.#generation++;
    const startedAtMs = this.#options.clock.nowMs();
    this.#dump = { unknown: [], endedIds: new Set(), startedAtMs };
  }

  dumpEntry(event: ConntrackEvent): void {
    if (this.#dump === undefined || !this.#isRecorded(event.protocol)) return;
    const half = this.#table.find(event);
    if (half === undefined) {
      if (this.#dump.unknown.length < DUMP_CANDIDATES_MAX) this.#dump.unknown.push(event);
      return;
    }
    half.generation = this.#generation;
    if (!half.muted && half.ended === null) this.#refresh(half, event);
  }

  /**
   * The dump is whole and every event up to its end has been read (a fence proved it): what it
   * shows and no half knows is opened, what it no longer shows is over.
   */
  endDump(): void {
    const dump = this.#dump;
    if (dump === undefined) return;
    this.#dump = undefined;
    for (const event of dump.unknown) {
      if (!dump.endedIds.has(event.id) && this.#table.find(event) === undefined) {
        this.#openFromDump(event, dump.startedAtMs);
      }
    }
    this.#closeVanished();
    this.#firstDump = false;
  }

  abandonDump(): void {
    this.#dump = undefined;
  }

  /** Copies of all halves in memory, plain data for the checkpoint beside the spool. */
  snapshot(): Half[] {
    return [...this.#table.halves()].map((half) => ({ ...half }));
  }

  /**
   * Takes up the halves of an earlier run, before the first event. Those with `id` null (opened
   * after the last checkpoint, rebuilt from the spool's entries) are matched by tuple alone.
   */
  restore(halves: readonly Half[]): void {
    for (const half of halves) this.#table.add({ ...half, unbegun: false, generation: 0 });
  }

  #isRecorded(protocol: number): boolean {
    if (protocol === TCP || protocol === UDP) return true;
    return this.#options.allProtocols === true && protocol !== ICMP && protocol !== ICMPV6;
  }

  #begin(event: ConntrackEvent, atMs: number): void {
    const known = this.#table.find(event);
    if (known !== undefined) {
      // A dump, or another reader during a change, may show an entry before its NEW is read.
      if (known.unbegun && !known.muted) {
        known.unbegun = false;
        return;
      }
      if (known.ended === null && !known.muted) this.#closeUnseen(known, atMs);
      this.#forget(known);
    }
    // Picked up in the middle, after a flush for instance: who spoke next only looks like the first.
    const pickup = event.protocol === TCP && event.state !== "SYN_SENT";
    this.#open(event, atMs, { pickup, late: false, muted: false });
  }

  #change(event: ConntrackEvent, atMs: number): void {
    const half = this.#table.find(event) ?? this.#openLate(event, atMs);
    if (half === undefined || half.muted) return;
    if (half.ended !== null) return;
    this.#learn(half, event);
    if (isOver(event)) this.#close(half, atMs, event);
  }

  #end(event: ConntrackEvent, atMs: number): void {
    this.#dump?.endedIds.add(event.id);
    const half = this.#table.find(event) ?? this.#openLate(event, atMs);
    if (half === undefined) return;
    this.#forget(half);
    if (half.muted) return;
    if (half.ended !== null) {
      this.#account(half, { state: half.ended, atMs, event });
      return;
    }
    this.#learn(half, event);
    this.#close(half, this.#endedAtMs(half, event, atMs), event);
  }

  /**
   * The event that opened it was lost, with the gap that says so: its later ones still count. But
   * what ends before the first dump is whole was there before the agent: history.
   */
  #openLate(event: ConntrackEvent, atMs: number): Half | undefined {
    if (this.#firstDump && (event.type === "destroy" || isOver(event))) return undefined;
    const bornAtMs = atMs - (event.ageS ?? 0) * 1000;
    return this.#open(event, bornAtMs, { pickup: true, late: true, muted: false });
  }

  #openFromDump(event: ConntrackEvent, dumpedAtMs: number): void {
    const ended = isOver(event);
    const half = this.#open(event, dumpedAtMs - (event.ageS ?? 0) * 1000, {
      // Its beginning was not seen, though it may be the first packet that waits for an answer.
      pickup: true,
      late: true,
      // What was over before the agent began is history; its last event must not open it.
      muted: ended && this.#firstDump,
    });
    if (half === undefined || half.muted) return;
    this.#learn(half, event);
    half.counters = countersOf(event);
    if (ended) this.#close(half, dumpedAtMs, undefined);
  }

  #open(event: ConntrackEvent, atMs: number, { pickup, late, muted }: Origin): Half | undefined {
    const share = this.#options.scope.share(event.original, event.reply);
    if (share === undefined) return undefined;
    if (this.#table.size >= this.#liveHalvesMax) {
      this.#turnAway(atMs);
      return undefined;
    }
    const opened = openEntry(event, share, { atMs, pickup });
    const half: Half = {
      id: event.id,
      zone: event.zone,
      protocol: event.protocol,
      initiatorIp: event.original.sourceIp,
      initiatorPort: event.original.sourcePort,
      responderIp: event.original.destinationIp,
      responderPort: event.original.destinationPort,
      openSeq: muted ? 0 : this.#options.emit(opened),
      openedAtMs: atMs,
      pickup,
      muted,
      kernelState: event.state,
      established: false,
      assured: false,
      prompted: false,
      ended: null,
      unbegun: late,
      generation: this.#generation,
      counters: undefined,
      payload: undefined,
    };
    this.#table.add(half);
    if (!muted) this.#options.payload?.opened(half, opened);
    return half;
  }

  #forget(half: Half): void {
    this.#table.delete(half);
    this.#options.payload?.gone(half);
  }

  #turnAway(atMs: number): void {
    if (this.#turnedAway.count++ === 0) this.#turnedAway.fromMs = atMs;
  }

  #admitTurnedAway(): void {
    const { count, fromMs } = this.#turnedAway;
    if (count === 0) return;
    this.#turnedAway = { count: 0, fromMs: 0 };
    const atMs = Math.max(fromMs, this.#options.clock.nowMs());
    this.#options.emit({ kind: "gap", cause: "queue", count, fromMs, toMs: atMs, atMs });
  }

  /** ASSURED on TCP means that the handshake was seen to its end, whatever the state says by now. */
  #learn(half: Half, event: ConntrackEvent): void {
    half.assured = event.assured;
    if (event.state !== "") half.kernelState = event.state;
    if (half.established) return;
    half.established = event.protocol === TCP ? event.assured : !event.unreplied;
    if (!half.established || half.prompted || half.pickup || event.type !== "update") return;
    const dueMs = this.#options.clock.monotonicMs() + PROMPT_UPDATE_AFTER_MS;
    this.#prompts.push({ half, dueMs });
  }

  #refresh(half: Half, event: ConntrackEvent): void {
    const before = half.counters;
    const wasEstablished = half.established;
    this.#learn(half, event);
    half.counters = countersOf(event);
    const nowMs = this.#options.clock.nowMs();
    const news = half.established && !wasEstablished && !half.pickup;
    const isOld = nowMs - half.openedAtMs >= PERIODIC_UPDATE_AGE_MIN_MS;
    if (news || (isOld && differs(before, half.counters))) {
      this.#update(half, nowMs, half.counters);
    }
  }

  #update(half: Half, atMs: number, counters: Counters | undefined): void {
    if (half.established) half.prompted = true;
    this.#options.emit({ kind: "update", ...amendment(half, atMs, liveState(half), counters) });
  }

  #close(half: Half, atMs: number, event: ConntrackEvent | undefined): void {
    const state = endState(half);
    half.ended = state;
    const counters = event === undefined ? half.counters : countersOf(event);
    const said = amendment(half, atMs, state, counters);
    this.#options.emit({ kind: "close", inferred: event === undefined, ...said });
    half.counters = undefined;
  }

  #account(half: Half, { state, atMs, event }: Final): void {
    const counters = countersOf(event);
    if (counters === undefined) return;
    this.#options.emit({ kind: "account", ...amendment(half, atMs, state, counters) });
  }

  #closeUnseen(half: Half, atMs: number): void {
    this.#close(half, atMs, undefined);
  }

  /** Born before the dump began and not in it: its end was lost. */
  #closeVanished(): void {
    const nowMs = this.#options.clock.nowMs();
    const vanished: Half[] = [];
    for (const half of this.#table.halves()) {
      if (half.generation < this.#generation) vanished.push(half);
    }
    for (const half of vanished) {
      if (half.ended === null && !half.muted) this.#closeUnseen(half, nowMs);
      this.#forget(half);
    }
  }

  /**
   * The kernel removes what has timed out up to a minute late, and prints the true age in whole
   * seconds. A UDP session ended with its last packet, one timeout earlier.
   */
  #endedAtMs(half: Half, event: ConntrackEvent, atMs: number): number {
    const aged = event.ageS === undefined ? atMs : half.openedAtMs + event.ageS * 1000;
    const stopMs = Math.min(atMs, aged);
    if (event.protocol !== UDP || event.userspace) return stopMs;
    const { assuredMs, unassuredMs } = this.#options.udpTimeouts;
    return stopMs - (event.assured ? assuredMs : unassuredMs);
  }
}

/** The connection has ended, though the kernel keeps its entry for a while. */
function isOver({ protocol, state }: ConntrackEvent): boolean {
  return protocol === TCP && (state === "TIME_WAIT" || state === "CLOSE");
}

/** Times never precede the open's, even when the machine's clock was set back in between. */
function amendment(
  half: Half,
  atMs: number,
  state: Amendment["state"],
  counters: Counters | undefined,
): Amendment {
  const payload = counters === undefined ? undefined : payloadOf(half, state);
  const ageMs = Math.max(0, atMs - half.openedAtMs);
  return {
    atMs: half.openedAtMs + ageMs,
    openSeq: half.openSeq,
    ageMs,
    state,
    assured: half.assured,
    ...(counters === undefined ? {} : { counters }),
    ...(payload === undefined ? {} : { payload }),
  };
}

/** Only of what ended in order: else what one end sent and the other received need not be the same. */
function payloadOf(half: Half, state: Amendment["state"]): PayloadBytes | undefined {
  return state === "SF" ? (half.payload ?? undefined) : undefined;
}

function differs(a: Counters | undefined, b: Counters | undefined): boolean {
  return a?.initiatorPackets !== b?.initiatorPackets || a?.responderPackets !== b?.responderPackets;
}
