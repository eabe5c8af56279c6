/**
 * When the other end must have an entry too. Only what a node could not have recorded without its
 * peer's kernel taking part counts; everything weaker is a half that may stand alone.
 */
import type { Half } from "./half.ts";

const TCP = 6;
const UDP = 17;

/** Zeek states of TCP that are reached only through a complete handshake. */
const ESTABLISHED_STATES: ReadonlySet<string> = new Set(["S1", "S2", "SF", "RST", "RSTO", "RSTR"]);

export type PeerHalf =
  | { readonly required: true }
  | { readonly required: false; readonly reason: "attempt" | "pickup" | "one_way" | "protocol" };

/** Whether `half` proves that its peer recorded the connection, by what is known of it so far. */
export function peerHalf(half: Half): PeerHalf {
  if (half.pickup) return { required: false, reason: "pickup" };
  switch (half.tuple.protocol) {
    case TCP:
      return ESTABLISHED_STATES.has(half.state)
        ? { required: true }
        : { required: false, reason: "attempt" };
    case UDP:
      return udp(half);
    default:
      return { required: false, reason: "protocol" };
  }
}

/**
 * At an initiator a reply is enough: the peer's kernel sent it. At a responder the initiator may be
 * forged, so the session must have lasted both ways (ASSURED) and have sent more than one packet.
 */
function udp(half: Half): PeerHalf {
  const { counters } = half;
  const replied = half.state === "SF" || (counters?.responderPackets ?? 0) > 0;
  if (half.role === "initiator") {
    return replied ? { required: true } : { required: false, reason: "attempt" };
  }
  const lasting = half.assured && (counters === undefined || counters.initiatorPackets >= 2);
  return lasting ? { required: true } : { required: false, reason: "one_way" };
}
