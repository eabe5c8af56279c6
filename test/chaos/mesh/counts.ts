/**
 * What two kernels count of the same bytes. They differ as on real machines: a sender hands large
 * segments to its card and counts one header where the receiver counts another number of merged
 * ones, and what was lost on the way was sent, twice, and received once.
 */
import type { Dice } from "./dice.ts";

/** One direction of one connection. */
export interface Direction {
  sentBytes: number;
  sentPackets: number;
  receivedBytes: number;
  receivedPackets: number;
  /** What the sender's program wrote; negative: no kernel tells. */
  payloadBytes: number;
}

/** IPv4 and TCP with timestamps. */
const TCP_HEADER_BYTES = 52;
const UDP_HEADER_BYTES = 28;
const SEGMENT_BYTES = 1_448;
/** What either kernel merges at most. */
const MERGED_MAX = 44;

export function noTraffic(): Direction {
  return { sentBytes: 0, sentPackets: 0, receivedBytes: 0, receivedPackets: 0, payloadBytes: -1 };
}

/** `payloadBytes` one way; `answeredBytes` the other way, which pure acknowledgements go with. */
export function countTcp(
  into: Direction,
  dice: Dice,
  what: {
    payloadBytes: number;
    answeredBytes: number;
    lossShare: number;
    retriedHandshakes: number;
  },
): void {
  const { payloadBytes, lossShare } = what;
  const segments = Math.ceil(payloadBytes / SEGMENT_BYTES);
  const lost = dice.successes(segments, lossShare);
  const again = lost === 0 ? 0 : lost + dice.successes(lost, lossShare);
  const acks = 2 + Math.ceil(what.answeredBytes / (2 * SEGMENT_BYTES));
  const lostAcks = dice.successes(acks, lossShare);
  // Few segments are hardly merged; a long transfer is, by each end as its card likes it.
  const merge = segments < 3 ? 1 : Math.min(MERGED_MAX, segments / 2);
  const sent = Math.ceil(segments / (1 + dice.fraction() * (merge - 1))) + again;
  const received = Math.ceil(segments / (1 + dice.fraction() * (merge - 1)));
  into.sentPackets = sent + acks + 1 + what.retriedHandshakes;
  into.sentBytes = payloadBytes + again * SEGMENT_BYTES + into.sentPackets * TCP_HEADER_BYTES;
  into.receivedPackets = received + acks - lostAcks + 1;
  into.receivedBytes = payloadBytes + into.receivedPackets * TCP_HEADER_BYTES;
  into.payloadBytes = payloadBytes;
}

/** Datagrams that are lost stay lost. */
export function countUdp(
  into: Direction,
  dice: Dice,
  what: { datagrams: number; payloadBytes: number; lossShare: number },
): void {
  const { datagrams } = what;
  const bytes = what.payloadBytes + UDP_HEADER_BYTES;
  // The first one came, or there would be no half at the other end.
  const arrived = datagrams - dice.successes(Math.max(0, datagrams - 1), what.lossShare);
  into.sentPackets = datagrams;
  into.sentBytes = datagrams * bytes;
  into.receivedPackets = arrived;
  into.receivedBytes = arrived * bytes;
}
