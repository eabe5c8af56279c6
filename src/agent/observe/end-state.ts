/**
 * How a connection ended, in Zeek's words (format/entry.ts), from what the kernel last said of it.
 */
import type { ConnectionState } from "../../format/entry.ts";
import { TCP } from "../../format/protocol.ts";

export interface LastSeen {
  readonly protocol: number;
  /** The kernel's TCP state; ignored for other protocols. */
  readonly kernelState: string;
  /** TCP: the handshake was seen to its end. Others: at least one reply. */
  readonly established: boolean;
  readonly pickup: boolean;
}

/** The state of a half that has not ended. */
export function liveState(seen: LastSeen): ConnectionState {
  if (seen.pickup) return "OTH";
  if (!seen.established) return "S0";
  return seen.protocol === TCP ? "S1" : "SF";
}

/** The state of a half whose entry left the table, or whose TCP connection is over. */
export function endState(seen: LastSeen): ConnectionState {
  if (seen.pickup) return "OTH";
  if (seen.protocol !== TCP) return seen.established ? "SF" : "S0";
  switch (seen.kernelState) {
    case "TIME_WAIT":
      return "SF";
    case "CLOSE":
      return seen.established ? "RST" : "REJ";
    case "FIN_WAIT":
    case "CLOSE_WAIT":
    case "LAST_ACK":
      return seen.established ? "S2" : "S0";
    default:
      // SYN_SENT and SYN_RECV that timed out; ESTABLISHED that was flushed or fell silent for days.
      return seen.established ? "S1" : "S0";
  }
}
