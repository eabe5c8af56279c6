/**
 * One line of `ss -E -t -i -n -O -H`: a TCP socket that is gone, with what its kernel counted.
 *
 * What the kernel counts, tried on a real one: `bytes_acked` is the payload that this end sent and
 * that was acknowledged, and one for each SYN and FIN of its own that was: the end that began the
 * connection has both, the other its FIN alone. `bytes_sent` less `bytes_retrans` is the same
 * payload without them. Where the difference is neither one nor two the connection did not end in
 * order, or this kernel counts otherwise, and nothing is said.
 *
 * `bytes_received` is the payload that came and one for the peer's FIN, unless that came after the
 * socket was gone, as it does when this end closes first and does not wait. Nothing in the line
 * tells the two apart, so one is taken off, and what was received may be one byte short.
 */
import type { PayloadBytes } from "../../format/entry.ts";
import { internText } from "./intern.ts";

/** A socket that is gone, as the connection that it was an end of. */
export interface SocketEnd {
  readonly initiatorIp: string;
  readonly initiatorPort: number;
  readonly responderIp: string;
  readonly responderPort: number;
  readonly payload: PayloadBytes;
}

/** Marks counted beside the payload, by who this end was: SYN and FIN, or the FIN alone. */
const INITIATOR_MARKS = 2;
const RESPONDER_MARKS = 1;

interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** Undefined where the line is another, or says nothing for certain. The line is in ASCII. */
export function parseSocketLine(line: string): SocketEnd | undefined {
  const columns = /^\S+ +([01]) +0 +(\S+) +(\S+) /.exec(line);
  if (columns === null) return undefined;
  const ackedBytes = numberAfter(line, " bytes_acked:");
  const sentBytes = numberAfter(line, " bytes_sent:") - numberAfter(line, " bytes_retrans:");
  const markBytes = ackedBytes - sentBytes;
  if (markBytes !== INITIATOR_MARKS && markBytes !== RESPONDER_MARKS) return undefined;
  const own = endpoint(columns[2]);
  const peer = endpoint(columns[3]);
  if (own === undefined || peer === undefined) return undefined;
  const receivedBytes = Math.max(0, numberAfter(line, " bytes_received:") - 1);
  if (!isExact(sentBytes) || !isExact(receivedBytes)) return undefined;
  const isInitiator = markBytes === INITIATOR_MARKS;
  const [initiator, responder] = isInitiator ? [own, peer] : [peer, own];
  return {
    initiatorIp: initiator.ip,
    initiatorPort: initiator.port,
    responderIp: responder.ip,
    responderPort: responder.port,
    payload: isInitiator
      ? { initiatorBytes: sentBytes, responderBytes: receivedBytes }
      : { initiatorBytes: receivedBytes, responderBytes: sentBytes },
  };
}

function isExact(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

/** 0 where the name is not there: ss leaves out what is zero. */
function numberAfter(line: string, name: string): number {
  const at = line.indexOf(name);
  if (at < 0) return 0;
  let value = 0;
  for (let index = at + name.length; ; index++) {
    const digit = line.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = value * 10 + digit;
  }
}

/** `10.0.0.1:443`, `[fd00::1]:443`, either with a `%zone` behind the address. A socket without a port was not connected. */
function endpoint(text = ""): Endpoint | undefined {
  const colon = text.lastIndexOf(":");
  const port = Number(text.slice(colon + 1));
  const shown = text.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, "");
  const zone = shown.indexOf("%");
  const ip = internText(zone < 0 ? shown : shown.slice(0, zone));
  if (ip === undefined || !Number.isInteger(port) || port < 1) return undefined;
  return { ip, port };
}
