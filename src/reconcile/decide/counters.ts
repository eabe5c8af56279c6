/**
 * Do the two ends' byte counts fit? Each direction is compared, sender against receiver.
 *
 * What TCP delivered is the same at both ends, whatever happened on the way: where both sockets
 * told it after an orderly end, it is compared exactly. The kernel's counts of packets on the wire
 * are never simply equal: it counts large segments as one packet with one header where the other
 * end counts many, and what is lost on the way was sent but not received. So they have an
 * allowance, and packets are not compared at all, for the first of these reasons.
 */
import type { ConnectionState, Counters, PayloadBytes } from "../../format/entry.ts";

/** Most header bytes per packet that the tracker counts: IPv6 40 + TCP 20, IPv4 20 + TCP with options 40. */
const HEADER_BYTES_MAX = 60;
/** The smallest segment that hosts use by default (RFC 9293 §3.7.1): the most packets that a byte count can mean. */
const SEGMENT_BYTES_MIN = 536;
/**
 * Loss and retransmission: what was sent may exceed what arrived by this share, and by a segment of 64 KiB and a
 * few packets at least. A kernel counts what it hands to the card as one, and loses it as one: with 5 % of
 * packets lost, single honest transfers lacked up to 33 % at the receiver.
 */
const LOSS_SHARE_MAX = 0.5;
const LOSS_BYTES_FREE = 65_536 + 3 * 1500;

/** The end of a stream, which a receiving kernel counts as a byte, or does not (docs/formats.md). */
const END_OF_STREAM_BYTES = 1;

type Direction = "initiator" | "responder";

/** What one end reports when the connection closes. */
export interface CountedEnd {
  readonly state: ConnectionState;
  readonly counters: Counters | undefined;
  readonly payload: PayloadBytes | undefined;
}

export interface CounterDifference {
  /** The end that sent in the direction that does not fit. */
  readonly sentBy: Direction;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly allowedBytes: number;
  /** More arrived than was sent: no network does that, one of the two is wrong. */
  readonly impossible: boolean;
  /** Of payload bytes, where no loss explains anything. */
  readonly exact: boolean;
}

/** The first direction in which the two do not fit: payload bytes first, where there are any, then bytes on the wire. */
export function endsDifference(
  initiator: CountedEnd,
  responder: CountedEnd,
): CounterDifference | undefined {
  const isOrderly = initiator.state === "SF" && responder.state === "SF";
  const exact =
    isOrderly && initiator.payload !== undefined && responder.payload !== undefined
      ? payloadDifference(initiator.payload, responder.payload)
      : undefined;
  if (exact !== undefined) return exact;
  if (initiator.counters === undefined || responder.counters === undefined) return undefined;
  return counterDifference(initiator.counters, responder.counters);
}

/** The first direction in which payload bytes after an orderly end do not fit. */
function payloadDifference(
  initiator: PayloadBytes,
  responder: PayloadBytes,
): CounterDifference | undefined {
  return (
    compareExactly("initiator", initiator.initiatorBytes, responder.initiatorBytes) ??
    compareExactly("responder", responder.responderBytes, initiator.responderBytes)
  );
}

/** The first direction beyond its allowance, or undefined when the counters fit. */
export function counterDifference(
  initiator: Counters,
  responder: Counters,
): CounterDifference | undefined {
  return (
    compare("initiator", initiator.initiatorBytes, responder.initiatorBytes) ??
    compare("responder", responder.responderBytes, initiator.responderBytes)
  );
}

function compareExactly(
  sentBy: Direction,
  sentBytes: number,
  receivedBytes: number,
): CounterDifference | undefined {
  const impossible = receivedBytes > sentBytes;
  const allowedBytes = impossible ? 0 : END_OF_STREAM_BYTES;
  if (Math.abs(sentBytes - receivedBytes) <= allowedBytes) return undefined;
  return { sentBy, sentBytes, receivedBytes, allowedBytes, impossible, exact: true };
}

function compare(
  sentBy: Direction,
  sentBytes: number,
  receivedBytes: number,
): CounterDifference | undefined {
  if (sentBytes === receivedBytes) return undefined;
  const headers =
    HEADER_BYTES_MAX * Math.ceil(Math.max(sentBytes, receivedBytes) / SEGMENT_BYTES_MIN);
  const impossible = receivedBytes > sentBytes;
  const loss = impossible ? 0 : Math.max(LOSS_BYTES_FREE, Math.ceil(sentBytes * LOSS_SHARE_MAX));
  const allowedBytes = headers + loss;
  if (Math.abs(sentBytes - receivedBytes) <= allowedBytes) return undefined;
  return { sentBy, sentBytes, receivedBytes, allowedBytes, impossible, exact: false };
}
