/**
 * A third number beside the counts of a connection's two ends: what the node's interfaces carried.
 * Connections cannot have received more than came in. A node whose connections did has inflated some
 * before it signed them, or its kernel counts wrongly.
 *
 * One direction of one comparison is sound, and is all that is judged:
 *
 * - More came in than the connections received: always so. Interfaces carry link headers, ARP, multicast,
 *   what is forwarded, what was refused, and what belongs to connections that are not over yet.
 * - More was sent than went out: a kernel counts a packet for its connection before a full queue or a
 *   neighbour that is gone drops it, and nothing bounds how many.
 * - More was received than came in: impossible. Nothing that an honest node does brings it about, as
 *   long as each byte of a sum came in between the two readings, once, through an interface that both know.
 *
 * So that this holds, a sum is of TCP connections alone (the inside of a tunnel without an interface of
 * its own, such as IPsec, is counted beside the tunnel's UDP), which both ends have (what runs within a
 * machine has no two nodes), whose beginning was seen, and whose last counters are in. It began after the
 * first reading: its open was read after a fence that was sent after the reading. It was over before the
 * last but one, so that counts that a driver brings up to date once in a while are up to date. Where anything
 * might make two readings incomparable, such as another set of addresses, all begins anew.
 *
 * What remains to a liar: to change the readings as well, or to declare gaps all the time, which is seen.
 *
 * Pure, and without a clock: the order of the node's own chain is enough.
 */
import type { InterfaceTotals, TotalsEntry } from "../../format/entry.ts";
import type { EntryPlace } from "../half/half-records.ts";

/** Smaller connections are most of all connections and next to none of the bytes: they are not looked at. */
export const RECEIVED_BYTES_MIN = 4_096;
/** What a kernel may count twice. */
const SHARE_FREE = 0.02;
const BYTES_FREE = 65_536;
/** Readings come every five minutes: an hour. */
const SPANS_MAX = 12;
/** Fences and readings have milliseconds of one clock, which may be slewed. */
const FENCE_SLACK_MS = 1_000;
/** Some drivers bring their counts up to date every few seconds: readings nearer than this are one. */
const APART_MS_MIN = 10_000;
/** A count below may be one of 32 bits, which begins anew at 4 GiB. */
const NARROW_END = 2 ** 32;
/** No packet is larger: so many cannot have brought such a count around. */
const PACKETS_NARROW = NARROW_END / 65_536;

/** Plain JSON, in the node's memory. */
export interface TotalsMemory {
  /** The newest reading; null: none that anything can be compared with. */
  last: Reading | null;
  /** From each reading to the next one, oldest first, the newest up to now; at most `SPANS_MAX`. */
  spans: ReadingSpan[];
  /** The last comparison, over all that is remembered; null: none yet. */
  shown: Compared | null;
}

interface Reading {
  readonly atMs: number;
  readonly interfaces: readonly Received[];
}

type Received = readonly [index: number, bytes: number, packets: number];

interface ReadingSpan {
  /** Node clock. */
  readonly atMs: number;
  /** The reading with which it begins. */
  readonly place: EntryPlace;
  /** Connections opened by this entry or a later one began after the reading; null: none is known to. */
  sinceSeq: number | null;
  /** What came in until the next reading. */
  carriedBytes: number;
  /** What connections that began in it received, of those that were over at the newest reading. */
  connectionBytes: number;
  /** Of those that were over since. */
  freshBytes: number;
}

/** Between two readings of one node. */
interface Compared {
  /** Node clock. */
  readonly fromMs: number;
  readonly toMs: number;
  /** By all interfaces, link headers included. */
  readonly carriedBytes: number;
  /** By the connections of the sum, IP headers included. */
  readonly connectionBytes: number;
}

/** What cannot be. */
export interface Excess extends Compared {
  readonly allowedBytes: number;
  /** The first reading. */
  readonly first: EntryPlace;
}

export function noTotals(): TotalsMemory {
  return { last: null, spans: [], shown: null };
}

/** Something happened after which no earlier reading says anything of what comes. */
export function forgetReadings(memory: TotalsMemory): void {
  memory.last = null;
  memory.spans = [];
}

/** Up to `claimedMs` of its clock the node had told all, before it gave out the number `seq`. */
export function noteClaim(memory: TotalsMemory, claimedMs: number, seq: number): void {
  const span = memory.spans.at(-1);
  if (span === undefined || span.sinceSeq !== null) return;
  if (claimedMs >= span.atMs + FENCE_SLACK_MS) span.sinceSeq = seq;
}

/** A connection of the sum is over, whose open has the number `seq`. Returns whether it counts. */
export function noteReceived(memory: TotalsMemory, seq: number, bytes: number): boolean {
  const { spans } = memory;
  for (let at = spans.length - 1; at >= 0; at--) {
    const span = spans[at];
    if (span === undefined || span.sinceSeq === null || span.sinceSeq > seq) continue;
    span.freshBytes += bytes;
    return true;
  }
  return false;
}

/** A reading, and where it stands. Returns what the connections received beyond what came in. */
export function noteReading(
  memory: TotalsMemory,
  { atMs, interfaces }: TotalsEntry,
  place: EntryPlace,
): Excess | undefined {
  const { last, spans } = memory;
  const newest = spans.at(-1);
  if (last !== null && atMs >= last.atMs && atMs < last.atMs + APART_MS_MIN) return undefined;
  const carriedBytes =
    last === null || atMs < last.atMs ? undefined : carriedSince(last.interfaces, interfaces);
  memory.last = { atMs, interfaces: interfaces.map(received) };
  let excess: Excess | undefined;
  if (carriedBytes === undefined || newest === undefined) {
    memory.spans = [];
  } else {
    newest.carriedBytes = carriedBytes;
    excess = compare(memory, atMs);
    // What was told once is not told with every reading of an hour.
    if (excess !== undefined) memory.spans = [];
  }
  const zero = { carriedBytes: 0, connectionBytes: 0, freshBytes: 0 };
  memory.spans.push({ atMs, place, sinceSeq: null, ...zero });
  if (memory.spans.length > SPANS_MAX) memory.spans.shift();
  return excess;
}

/** By so many bytes connections may seem to have received more than the `carriedBytes` that came in. */
export function allowedBytes(carriedBytes: number): number {
  return BYTES_FREE + Math.ceil(carriedBytes * SHARE_FREE);
}

/** Every span of time up to the newest reading, the shortest first. */
function compare(memory: TotalsMemory, toMs: number): Excess | undefined {
  let carriedBytes = 0;
  let connectionBytes = 0;
  let excess: Excess | undefined;
  for (const span of memory.spans.toReversed()) {
    carriedBytes += span.carriedBytes;
    connectionBytes += span.connectionBytes;
    // Those of this reading's time may have been carried after its counts were.
    span.connectionBytes += span.freshBytes;
    span.freshBytes = 0;
    const { atMs: fromMs, place: first } = span;
    memory.shown = { fromMs, toMs, carriedBytes, connectionBytes };
    const allowed = allowedBytes(carriedBytes);
    if (connectionBytes > carriedBytes + allowed) {
      excess ??= { ...memory.shown, allowedBytes: allowed, first };
    }
  }
  return excess;
}

/**
 * Undefined where the two cannot be subtracted. An interface that carried more than in all its life before
 * may be new, or its driver began its counts anew: what it carried until then is not known.
 */
function carriedSince(
  before: readonly Received[],
  interfaces: readonly InterfaceTotals[],
): number | undefined {
  const known = new Map(before.map(([index, ...counts]) => [index, counts]));
  let sum = 0;
  for (const { index, receivedBytes, receivedPackets } of interfaces) {
    const [bytesBefore, packetsBefore] = known.get(index) ?? [0, 0];
    known.delete(index);
    const bytes = receivedBytes - bytesBefore;
    const packets = receivedPackets - packetsBefore;
    if (bytes < 0 || packets < 0 || bytes > bytesBefore) return undefined;
    if (receivedBytes < NARROW_END && packets >= PACKETS_NARROW) return undefined;
    sum += bytes;
  }
  // What one that is gone carried until it went is not known.
  return known.size > 0 ? undefined : sum;
}

function received({ index, receivedBytes, receivedPackets }: InterfaceTotals): Received {
  return [index, receivedBytes, receivedPackets];
}
