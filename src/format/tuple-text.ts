/** A connection's tuple, as people read it. */
import type { Tuple } from "./entry.ts";
import { TCP, UDP } from "./protocol.ts";

/** `tcp 10.0.0.1:40000 → 10.0.0.2:443` */
export function tupleText(tuple: Tuple): string {
  const { protocol, initiatorIp, initiatorPort, responderIp, responderPort } = tuple;
  const ends = [endText(initiatorIp, initiatorPort), endText(responderIp, responderPort)];
  return `${protocolText(protocol)} ${ends.join(" → ")}`;
}

function protocolText(protocol: number): string {
  return protocol === TCP ? "tcp" : protocol === UDP ? "udp" : `protocol ${protocol}`;
}

function endText(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
