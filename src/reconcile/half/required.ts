/**
 * When the other end must have an entry too. Only what a node could not have recorded without its
 * peer's kernel taking part counts; everything weaker is a half that may stand alone.
 */
import { TCP, UDP } from "../../format/protocol.ts";
import { WORD, type Half } from "./half-records.ts";

/** Zeek states of TCP that are reached only through a complete handshake. */
const ESTABLISHED_STATES: ReadonlySet<string> = new Set(["S1", "S2", "SF", "RST", "RSTO", "RSTR"]);

/** `required`, or why its peer need not have recorded it. */
type PeerHalf = "required" | "attempt" | "pickup" | "one_way" | "protocol";

/** Whether `half` proves that its peer recorded the connection, by what is known of it so far. */
export function peerHalf(half: Half): PeerHalf {
  if (half.pickup) return "pickup";
  switch (half.protocol) {
    case TCP:
      return ESTABLISHED_STATES.has(half.state) ? "required" : "attempt";
    case UDP:
      return udp(half);
    default:
      return "protocol";
  }
}

/**
 * At an initiator a reply is enough: the peer's kernel sent it. At a responder the initiator may be
 * forged, so the session must have lasted both ways (ASSURED) and have sent more than one packet.
 */
function udp(half: Half): PeerHalf {
  const { records, slot } = half;
  if (half.roleNumber === 0) {
    const isReplied = half.state === "SF" || records.word(slot, WORD.responderPackets) > 0;
    return isReplied ? "required" : "attempt";
  }
  const isCounted = half.counters !== undefined;
  const isLasting = half.assured && (!isCounted || records.word(slot, WORD.initiatorPackets) >= 2);
  return isLasting ? "required" : "one_way";
}
