/**
 * Parking: while a node is away, the halves that wait for it leave memory, and their rows in the store
 * are all that remains of them. They come back, by the minute in which they began, before anything
 * that may have to do with them is taken: before a record with halves of about that time, and before
 * a tick that wakes what waits for such a time. All that two halves can have to do with each other
 * they have to do within `PARK_SLACK_MS`; so it makes no difference to any verdict which halves were
 * parked, and when.
 */
import {
  ENTRY_WORDS,
  type EntryBlock,
  KIND,
  kindOfHead,
  WORD as ENTRY,
} from "../../format/entry-block.ts";
import {
  BIT,
  CELL,
  FORWARDER,
  Half,
  type HalfRecords,
  type Names,
  WORD,
} from "../half/half-records.ts";
import { hasMark, MARK, setMark, verdictOf } from "../half/half-state.ts";
import {
  ACCOUNT_WAIT_MS,
  OFFLINE_PATIENCE_MS,
  PARKED_PER_RECORD_MAX,
  PARK_EVERY_MS,
  PARK_SLACK_MS,
  PARK_WAIT_MS_MAX,
  SILENT_AFTER_MS,
  WAKE_STEP_MS,
} from "../limits.ts";
import type { NodeStream } from "../node/node-stream.ts";
import type { ParkedMemory } from "../node/server-memory.ts";
import {
  clearParked,
  countParkedIn,
  countParked,
  noteParked,
  type ParkedRange,
  parkedRanges,
  type TimeSpan,
} from "./parked-times.ts";
import type { IsGone } from "../decide/waiting.ts";
import { farewellOf, wakeLimitMs, wakeOf } from "../decide/wake-limit.ts";

/** `at_once`: whatever may be parked is, to prove that it makes no difference. */
export type ParkingPolicy = "when_behind" | "at_once" | "never";

/** What is to be known of a record before it is taken. */
interface ComingRecord {
  /** By the node's clock, as its header says. */
  readonly bootAtMs: number;
  readonly block: EntryBlock;
  /** The server's ticks in it. */
  readonly ticksMs: readonly number[];
}

interface ParkingParts {
  readonly records: HalfRecords;
  readonly names: Names;
  /** By number. */
  readonly streams: readonly NodeStream[];
  readonly server: () => NodeStream;
  find(node: number, seq: number, epoch: number): number | undefined;
  /** The next tick may pair it with another half of its tuple. */
  isContended(half: Half): boolean;
  /** Goes through all plans that wait for a stream, and drops each plan for which `isGone` returns true. */
  sift(isGone: IsGone): void;
  /** Its row is held back: a partner may come any moment. */
  isHeld(half: Half): boolean;
  /** Its row is to be written. */
  write(half: Half): void;
}

export class Parking {
  readonly #parts: ParkingParts;
  #parkedMs = 0;

  constructor(parts: ParkingParts) {
    this.#parts = parts;
  }

  /** Halves that wait in the store alone, at most. */
  get count(): number {
    return countParked(this.#parts.server().memory.parked);
  }

  /** What must come back before a record of `stream` is taken, in the order of time. */
  due(stream: NodeStream, coming: ComingRecord): ParkedRange[] {
    const { memory } = this.#parts.server();
    if (memory.parked.counts.length === 0) return [];
    const spans = within(memory.parked, opensOf(stream, coming));
    let fromMs = memory.tickMs;
    for (const [tick, atMs] of coming.ticksMs.entries()) {
      for (const one of this.#parts.streams) {
        for (const wake of [wakeOf(one, fromMs, atMs), farewellOf(one, fromMs, atMs)]) {
          if (wake !== undefined && wake.toMs > wake.fromMs) {
            // Of several ticks each goes a step on from the one before.
            spans.push(around(wake.fromMs, wake.toMs + tick * WAKE_STEP_MS));
          }
        }
      }
      fromMs = atMs;
    }
    return parkedRanges(memory.parked, spans);
  }

  /** All of the range has come back. */
  unparked(range: ParkedRange): void {
    const server = this.#parts.server();
    clearParked(server.memory.parked, range);
    server.changed = true;
  }

  /** One of the range is in memory again: its row is to say so. */
  takenBack(
    node: NodeStream,
    { seq, epoch }: { readonly seq: number; readonly epoch: number },
  ): void {
    const slot = this.#parts.find(node.number, seq, epoch);
    if (slot !== undefined)
      this.#parts.write(new Half(this.#parts.records, this.#parts.names, slot));
  }

  /** Its row says that it is parked. */
  note(half: Half): void {
    const server = this.#parts.server();
    noteParked(server.memory.parked, half.serverMs, Math.round(half.openedMs - half.serverMs));
    server.changed = true;
  }

  /** Marks what is to be parked: its row is written once more, and then it is forgotten. */
  park(policy: ParkingPolicy): void {
    const { tickMs } = this.#parts.server().memory;
    if (policy === "never" || tickMs === 0) return;
    const pins = policy === "at_once" ? [] : this.#pins(tickMs);
    if (pins === undefined) return;
    const { records, names } = this.#parts;
    const half = new Half(records, names, 0);
    const patient = new Set<number>();
    this.#parts.sift((slot, plans, atMs) => {
      if (records.cell(slot, CELL.plans) !== plans) return true;
      if (atMs - records.word(slot, WORD.serverMs) > PARK_WAIT_MS_MAX) patient.add(slot);
      return false;
    });
    this.#parts.sift((slot, plans) => {
      if (records.cell(slot, CELL.plans) !== plans) return true;
      half.slot = slot;
      if (hasMark(half, MARK.parked)) return true;
      if (patient.has(slot) || isIn(pins, half.serverMs)) return false;
      if (!this.#mayPark(half, tickMs)) return false;
      setMark(half, MARK.parked);
      this.#parts.write(half);
      return true;
    });
  }

  /**
   * Times at which something is going on, so that what is parked would only come back at once; undefined
   * where it is not worth while to look.
   */
  #pins(nowMs: number): TimeSpan[] | undefined {
    if (nowMs - this.#parkedMs < PARK_EVERY_MS) return undefined;
    this.#parkedMs = nowMs;
    const pins: TimeSpan[] = [around(nowMs, Infinity)];
    let isAnyBehind = false;
    for (const stream of this.#parts.streams) {
      const { lastReceivedMs, state } = stream.memory;
      const limitMs = wakeLimitMs(stream, nowMs);
      const { watermarkServerMs } = stream;
      if (limitMs < nowMs - PARK_SLACK_MS) isAnyBehind = true;
      if (limitMs > watermarkServerMs || state === "revoked") pins.push(around(limitMs, limitMs));
      if (nowMs - lastReceivedMs > SILENT_AFTER_MS) continue;
      pins.push(around(limitMs, limitMs), around(watermarkServerMs, watermarkServerMs));
    }
    return isAnyBehind ? pins : undefined;
  }

  /** Whether its row says all of it, nothing of its own is to come, and what it waits for is near its own time. */
  #mayPark(half: Half, nowMs: number): boolean {
    const parts = this.#parts;
    if (!hasMark(half, MARK.awaitsPeer) || hasMark(half, BUSY) || half.isPaired) return false;
    if (verdictOf(half) !== "pending" || half.roleNumber === FORWARDER || parts.isHeld(half))
      return false;
    const ageMs = nowMs - half.serverMs;
    if (ageMs < 0 || ageMs > OFFLINE_PATIENCE_MS) return false;
    const node = parts.streams[half.nodeNumber];
    if (node === undefined || !node.clock.isKnown || !isComplete(half, node)) return false;
    return !parts.isContended(half);
  }
}

/** Something else is about to happen to it, or it belongs to others. */
const BUSY =
  MARK.settled |
  MARK.second |
  MARK.touched |
  MARK.contended |
  MARK.foundMissing |
  MARK.forwarded |
  MARK.split |
  MARK.parked;

/** Whether no entry that refers to it is to come. */
function isComplete(half: Half, node: NodeStream): boolean {
  if (half.epoch < node.memory.epoch || half.accounted) return true;
  return half.has(BIT.closed) && node.watermarkServerMs > half.closedServerMs + ACCOUNT_WAIT_MS;
}

function opensOf(stream: NodeStream, { bootAtMs, block }: ComingRecord): TimeSpan[] {
  const { words, length } = block;
  let leastMs = Infinity;
  let mostMs = -Infinity;
  const spans: TimeSpan[] = [];
  for (let at = 0; at < length * ENTRY_WORDS; at += ENTRY_WORDS) {
    if (kindOfHead(words[at + ENTRY.head] ?? 0) !== KIND.open) continue;
    const atMs = words[at + ENTRY.atMs] ?? 0;
    if (atMs >= leastMs && atMs <= mostMs) continue;
    // Entries come nearly in order: a time far from those before begins a span of its own.
    if (atMs < leastMs - PARK_SLACK_MS || atMs > mostMs + PARK_SLACK_MS) {
      const serverMs = stream.clock.toServerMs(atMs, bootAtMs);
      spans.push(around(serverMs, serverMs));
      leastMs = atMs;
      mostMs = atMs;
      continue;
    }
    leastMs = Math.min(leastMs, atMs);
    mostMs = Math.max(mostMs, atMs);
    spans[spans.length - 1] = around(
      stream.clock.toServerMs(leastMs, bootAtMs),
      stream.clock.toServerMs(mostMs, bootAtMs),
    );
  }
  return spans;
}

/** The first of them, as far as there are not too many. */
function within(memory: ParkedMemory, spans: TimeSpan[]): TimeSpan[] {
  let count = 0;
  const end = spans.findIndex((span) => {
    count += countParkedIn(memory, span);
    return count > PARKED_PER_RECORD_MAX;
  });
  return end === -1 ? spans : spans.slice(0, Math.max(1, end));
}

function around(fromMs: number, toMs: number): TimeSpan {
  return [fromMs - PARK_SLACK_MS, toMs + PARK_SLACK_MS];
}

function isIn(spans: readonly TimeSpan[], atMs: number): boolean {
  return spans.some(([fromMs, toMs]) => fromMs <= atMs && atMs <= toMs);
}
