/**
 * Naming halves and connections. A half is named by who opened it and with which entry; a
 * connection takes the name of one of its halves.
 */
import type { Tuple } from "./entry.ts";
import { domainHash } from "./identity.ts";

/** 16 bytes: SHA-256("tallystick/half/v1\n" ‖ node id ‖ epoch u32 ‖ seq u64 of the open), cut. */
export function halfId(nodeId: Uint8Array, epoch: number, openSeq: number): Buffer {
  const position = Buffer.alloc(12);
  position.writeUInt32BE(epoch, 0);
  position.writeBigUInt64BE(BigInt(openSeq), 4);
  return domainHash("tallystick/half/v1\n", nodeId, position).subarray(0, 16);
}

/** Equal for the two halves of one connection, and for every reuse of its addresses and ports. */
export function tupleKey(tuple: Tuple): string {
  return `${tuple.protocol} ${tuple.initiatorIp} ${tuple.initiatorPort} ${tuple.responderIp} ${tuple.responderPort}`;
}

/** The same tuple seen from the other side: for halves whose orientation was a guess. */
export function mirrored(tuple: Tuple): Tuple {
  return {
    protocol: tuple.protocol,
    initiatorIp: tuple.responderIp,
    initiatorPort: tuple.responderPort,
    responderIp: tuple.initiatorIp,
    responderPort: tuple.initiatorPort,
  };
}
