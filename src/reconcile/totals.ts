/**
 * A third number beside the counts of a connection's two ends: what the node's interfaces carried.
 * Connections cannot have received more than came in. A node whose connections did has invented or
 * inflated some, or its kernel's counts are wrong; a liar who changes both tells nothing here.
 *
 * Only what lies wholly between two readings is summed (`isWithin`), so that nothing depends on how
 * late final counts come. The reverse says nothing: interfaces carry much that is no connection of
 * the node's own. How much of it the connections explain is shown, and is no finding.
 */
import type { InterfaceTotals, TotalsEntry } from "../format/entry.ts";

/** Bytes of a node's connections, IP headers included, from the node's own side. */
export interface NodeBytes {
  readonly receivedBytes: number;
  /** Of connections that were answered: what nobody answers may never have left, though the kernel counted it. */
  readonly sentBytes: number;
}

/** When the kernel's events are read late, a beginning is stamped late. */
const BEGUN_SLACK_MS = 60_000;
/** Some interfaces bring their counts up to date once in a while. */
const COUNTED_SLACK_MS = 5_000;
/** What a kernel may count twice, such as fragments put together after their pieces. */
const SHARE_FREE = 0.02;
const BYTES_FREE = 65_536;
/** Sent bytes are counted before a full queue or a neighbour that is gone may drop them. */
const DROPPED_SHARE_FREE = 0.25;
const DROPPED_BYTES_FREE = 4 * 1024 * 1024;

/** Whether all of a half's bytes were carried between two readings of its node. Times of that node's clock, Unix ms. */
export function isWithin(
  half: {
    readonly openedMs: number;
    /** Time of the entry that its counters are from. */
    readonly countedMs: number;
  },
  first: Pick<TotalsEntry, "atMs">,
  last: Pick<TotalsEntry, "atMs">,
): boolean {
  return (
    half.openedMs >= first.atMs + BEGUN_SLACK_MS &&
    half.countedMs >= half.openedMs &&
    half.countedMs <= last.atMs - COUNTED_SLACK_MS
  );
}

export type TotalsJudgement =
  | {
      /** The two readings cannot be subtracted. */
      readonly kind: "unknown";
      readonly why: "not later" | "no interface" | "an interface is gone" | "a count went back";
    }
  | {
      readonly kind: "possible";
      /** Of what the interfaces with the node's addresses carried, how much its connections explain; 0 to 1, null where they carried nothing. */
      readonly receivedShare: number | null;
      readonly sentShare: number | null;
    }
  | {
      readonly kind: "exceeded";
      readonly direction: "received" | "sent";
      readonly connectionBytes: number;
      readonly interfaceBytes: number;
      readonly allowedBytes: number;
      /** Received: what did not come in cannot have been received. Sent: the kernel may have dropped what it had counted. */
      readonly impossible: boolean;
    };

/** `connections`: the sums over the node's halves that are `isWithin` the two. */
export function judgeTotals(
  first: TotalsEntry,
  last: TotalsEntry,
  connections: NodeBytes,
): TotalsJudgement {
  if (last.atMs <= first.atMs) return { kind: "unknown", why: "not later" };
  const carried = carriedBetween(first.interfaces, last.interfaces);
  if (typeof carried === "string") return { kind: "unknown", why: carried };
  const { all, claimed } = carried;
  return (
    exceeded("received", connections.receivedBytes, all.receivedBytes) ??
    exceeded("sent", connections.sentBytes, all.sentBytes) ?? {
      kind: "possible",
      receivedShare: share(connections.receivedBytes, claimed.receivedBytes),
      sentShare: share(connections.sentBytes, claimed.sentBytes),
    }
  );
}

interface Carried {
  readonly all: NodeBytes;
  readonly claimed: NodeBytes;
}

type Why = Extract<TotalsJudgement, { kind: "unknown" }>["why"];

/** An interface that is new in the second reading has counted from zero since. */
function carriedBetween(
  first: readonly InterfaceTotals[],
  last: readonly InterfaceTotals[],
): Carried | Why {
  if (last.length === 0) return "no interface";
  const before = new Map(first.map((one) => [one.index, one]));
  const all = { receivedBytes: 0, sentBytes: 0 };
  const claimed = { receivedBytes: 0, sentBytes: 0 };
  for (const { index, claimed: isClaimed, receivedBytes, sentBytes } of last) {
    const received = receivedBytes - (before.get(index)?.receivedBytes ?? 0);
    const sent = sentBytes - (before.get(index)?.sentBytes ?? 0);
    if (received < 0 || sent < 0) return "a count went back";
    before.delete(index);
    for (const sum of isClaimed ? [all, claimed] : [all]) {
      sum.receivedBytes += received;
      sum.sentBytes += sent;
    }
  }
  // What it carried until it went is not known.
  return before.size > 0 ? "an interface is gone" : { all, claimed };
}

function exceeded(
  direction: "received" | "sent",
  connectionBytes: number,
  interfaceBytes: number,
): TotalsJudgement | undefined {
  const impossible = direction === "received";
  const shareFree = impossible ? SHARE_FREE : DROPPED_SHARE_FREE;
  const bytesFree = impossible ? BYTES_FREE : DROPPED_BYTES_FREE;
  const allowedBytes = bytesFree + Math.ceil(interfaceBytes * shareFree);
  if (connectionBytes <= interfaceBytes + allowedBytes) return undefined;
  return { kind: "exceeded", direction, connectionBytes, interfaceBytes, allowedBytes, impossible };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.min(1, part / whole);
}
