/** The pieces of an entry that are copied from the kernel's line. */
import type { Counters, OpenEntry, ReplyTuple } from "../../format/entry.ts";
import type { Share } from "./address-scope.ts";
import type { ConntrackEvent } from "./conntrack-line.ts";

export function openEntry(
  event: ConntrackEvent,
  share: Share,
  seen: { readonly atMs: number; readonly pickup: boolean },
): OpenEntry {
  const { original } = event;
  const reply = translation(event);
  return {
    kind: "open",
    atMs: seen.atMs,
    role: share.role,
    tuple: {
      protocol: event.protocol,
      initiatorIp: original.sourceIp,
      initiatorPort: original.sourcePort,
      responderIp: original.destinationIp,
      responderPort: original.destinationPort,
    },
    pickup: seen.pickup,
    ...(reply === undefined ? {} : { reply }),
    ...(share.network === undefined ? {} : { network: share.network }),
  };
}

/** Undefined where the kernel did not count: absent is not zero. */
export function countersOf({ original, reply }: ConntrackEvent): Counters | undefined {
  if (original.packets === undefined || original.bytes === undefined) return undefined;
  return {
    initiatorPackets: original.packets,
    initiatorBytes: original.bytes,
    responderPackets: reply.packets ?? 0,
    responderBytes: reply.bytes ?? 0,
  };
}

/** The reply tuple, unless it is the mirror of the original one. */
function translation({ original, reply }: ConntrackEvent): ReplyTuple | undefined {
  const mirrored =
    reply.sourceIp === original.destinationIp &&
    reply.destinationIp === original.sourceIp &&
    reply.sourcePort === original.destinationPort &&
    reply.destinationPort === original.sourcePort;
  if (mirrored) return undefined;
  return {
    sourceIp: reply.sourceIp,
    sourcePort: reply.sourcePort,
    destinationIp: reply.destinationIp,
    destinationPort: reply.destinationPort,
  };
}
