/** Names a connection alike in what was done, in what the server tells and in what the kernel tells. */
export function connectionKey(ends: {
  /** `tcp` or `udp`. */
  readonly proto: string;
  readonly initiator_ip: string;
  readonly initiator_port: number;
  readonly responder_ip: string;
  readonly responder_port: number;
}): string {
  const { proto, initiator_ip, initiator_port, responder_ip, responder_port } = ends;
  return `${proto} ${initiator_ip} ${initiator_port} → ${responder_ip} ${responder_port}`;
}
