/**
 * Do the two ends' byte counts fit? They are never simply equal: a kernel counts large segments as
 * one packet with one header where the other end counts many, and what is lost on the way was sent
 * but not received. So each direction is compared sender against receiver, with an allowance.
 * Packets are never compared, for the first of these reasons.
 */
import type { Counters } from "../format/entry.ts";

/** Most header bytes per packet that the tracker counts: IPv6 40 + TCP 20, IPv4 20 + TCP with options 40. */
const HEADER_BYTES_MAX = 60;
/** The smallest segment that hosts use by default (RFC 9293 §3.7.1): the most packets that a byte count can mean. */
const SEGMENT_BYTES_MIN = 536;
/** Loss and retransmission: what was sent may exceed what arrived by this share, and by a few packets at least. */
const LOSS_SHARE_MAX = 0.1;
const LOSS_BYTES_FREE = 3 * 1500;

export type Direction = "initiator" | "responder";

export interface CounterDifference {
  /** Who sent in the direction that does not fit. */
  readonly sentBy: Direction;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly allowedBytes: number;
  /** More arrived than was sent: no network does that, one of the two is wrong. */
  readonly impossible: boolean;
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
  return { sentBy, sentBytes, receivedBytes, allowedBytes, impossible };
}
