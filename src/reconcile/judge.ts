/**
 * The verdict on a connection, from what is known now. Pure: it reads state and answers; the only
 * thing it uses up is a declared gap, which excuses no more halves than it has lost entries.
 */
import type { AddressBook } from "./address-book.ts";
import type { Connection } from "./connection.ts";
import { counterDifference, type CounterDifference } from "./counters.ts";
import type { Half } from "./half.ts";
import { ACCOUNT_WAIT_MS, EXCUSE_SLACK_MS, OFFLINE_PATIENCE_MS } from "./limits.ts";
import type { NodeStream } from "./node-stream.ts";
import { peerHalf } from "./required.ts";

export interface Sky {
  /** Journal time: when the last record was received. */
  readonly nowMs: number;
  readonly toleranceMs: number;
  readonly book: AddressBook;
  /** The stream of the node that recorded a half. */
  streamOf(half: Half): NodeStream;
}

/** `wait`: nothing to say yet. `excuse` names the harmless reason. */
export type LoneJudgement =
  | { readonly verdict: "wait" }
  | { readonly verdict: "external" }
  | { readonly verdict: "unanswered" }
  | { readonly verdict: "excused"; readonly excuse: string }
  | { readonly verdict: "missing"; readonly peer: NodeStream };

/** What a half that stands alone means. */
export function judgeLone(half: Half, sky: Sky): LoneJudgement {
  if (half.role === "forwarder") return { verdict: "excused", excuse: "router" };
  const claim = sky.book.lookup(half.network, half.peerIp);
  if (claim.kind === "nobody") return { verdict: "external" };
  if (claim.kind === "contested") return { verdict: "excused", excuse: "ambiguous_address" };
  const own = sky.book.lookup(half.network, half.ownIp);
  if (own.kind === "contested") return { verdict: "excused", excuse: "ambiguous_address" };
  const need = peerHalf(half);
  if (!need.required) return standsAlone(half, need.reason, sky);
  return absent(half, claim.node, sky);
}

/** A half without a duty to have a partner: it is told once it ended, or once its partner had the time to come. */
function standsAlone(
  half: Half,
  reason: "attempt" | "pickup" | "one_way" | "protocol",
  sky: Sky,
): LoneJudgement {
  const mayStillPair = sky.nowMs < half.receivedMs + sky.toleranceMs;
  if (reason === "pickup") return mayStillPair ? WAIT : { verdict: "excused", excuse: "pickup" };
  if (!half.closed && !isForgotten(half, sky)) return WAIT;
  if (reason === "attempt") return half.role === "initiator" ? { verdict: "unanswered" } : ONE_WAY;
  return mayStillPair ? WAIT : { verdict: "excused", excuse: reason };
}

/** A half whose partner has to be there: missing only when its node's stream is complete past it. */
function absent(half: Half, peer: NodeStream, sky: Sky): LoneJudgement {
  const { toleranceMs } = sky;
  if (sky.nowMs < half.receivedMs + toleranceMs) return WAIT;
  if (half.receivedMs - half.serverMs > OFFLINE_PATIENCE_MS) return TOO_LATE;
  const peerTimeMs = onClockOf(peer, half);
  const absence = peer.absenceAt(peerTimeMs, EXCUSE_SLACK_MS);
  if (absence !== undefined) {
    return { verdict: "excused", excuse: ABSENCE_EXCUSE[absence.reason] };
  }
  if (!isCompletePast(half, peer, sky)) {
    const waitedMs = sky.nowMs - half.receivedMs;
    return waitedMs > OFFLINE_PATIENCE_MS ? { verdict: "missing", peer } : WAIT;
  }
  if (peer.spendGap(peerTimeMs, EXCUSE_SLACK_MS) !== undefined) {
    return { verdict: "excused", excuse: "gap" };
  }
  return { verdict: "missing", peer };
}

/**
 * Both streams are complete past the open by more than the clocks may differ, and the peer was heard,
 * without backlog, that much after the half arrived: by any clock, its partner would be here.
 */
function isCompletePast(half: Half, peer: NodeStream, sky: Sky): boolean {
  const pastMs = half.openedMs + sky.toleranceMs;
  const heardMs = half.receivedMs + sky.toleranceMs;
  const own = sky.streamOf(half);
  return (
    own.memory.watermarkMs > pastMs &&
    peer.memory.watermarkMs > pastMs &&
    peer.memory.freshAtMs > heardMs
  );
}

/**
 * The half's open on its peer's clock. What a batch that did not wait took to arrive is its delay
 * minus its node's clock offset; the delays of two nodes differ by far less than clocks do.
 */
function onClockOf(peer: NodeStream, half: Half): number {
  return half.serverMs - (peer.memory.leastLagMs ?? 0);
}

const WAIT: LoneJudgement = { verdict: "wait" };
const ONE_WAY: LoneJudgement = { verdict: "excused", excuse: "one_way" };
/** Its node was out of reach for so long that its partner was not waited for, and is forgotten. */
const TOO_LATE: LoneJudgement = { verdict: "excused", excuse: "offline" };
const ABSENCE_EXCUSE = {
  stopped: "offline",
  opted_out: "opted_out",
  not_started: "not_monitored",
} as const;

export type PairJudgement =
  | { readonly counters: "pending" }
  | { readonly counters: "unavailable" }
  | { readonly counters: "final"; readonly difference: CounterDifference | undefined };

/** Whether the counters of two halves can be compared yet, and what comes out. */
export function judgePair(connection: Connection, sky: Sky): PairJudgement {
  const { key, other } = connection;
  if (other === undefined) return { counters: "pending" };
  if (key.accounted && other.accounted) return compare(key, other, sky);
  const patient = [key, other].some((half) => !isPastAccounts(half, sky));
  return patient ? { counters: "pending" } : { counters: "unavailable" };
}

/** No final counters will come for this half any more. */
export function isPastAccounts(half: Half, sky: Sky): boolean {
  if (half.accounted) return true;
  const { memory } = sky.streamOf(half);
  const sinceMs = sky.nowMs - half.receivedMs;
  if (half.cutOff || memory.state === "revoked") return sinceMs > ACCOUNT_WAIT_MS;
  if (sinceMs > OFFLINE_PATIENCE_MS && memory.state !== "active") return true;
  if (!half.closed) return isForgotten(half, sky);
  const endedMs = half.serverMs + (half.durationMs ?? 0);
  return (
    memory.watermarkMs > half.closedMs + ACCOUNT_WAIT_MS ||
    sky.nowMs - endedMs > OFFLINE_PATIENCE_MS
  );
}

/**
 * Its end was among what its node lost: a half that lives says so every five minutes, and its node
 * is complete a day past the last time.
 */
function isForgotten(half: Half, sky: Sky): boolean {
  return sky.streamOf(half).memory.watermarkMs > half.heardMs + OFFLINE_PATIENCE_MS;
}

/**
 * While an agent is stopped, or has taken its rule away, its kernel may not count: then a difference
 * says nothing. Counters that agree all the same are final.
 */
function compare(a: Half, b: Half, sky: Sky): PairJudgement {
  if (a.counters === undefined || b.counters === undefined) return { counters: "unavailable" };
  const [initiator, responder] = a.role === "initiator" || b.role === "responder" ? [a, b] : [b, a];
  if (a.pickup || b.pickup) return { counters: "unavailable" };
  const difference = counterDifference(
    initiator.counters ?? a.counters,
    responder.counters ?? b.counters,
  );
  if (difference !== undefined && [a, b].some((half) => isPartlyCounted(half, sky))) {
    return { counters: "unavailable" };
  }
  return { counters: "final", difference };
}

function isPartlyCounted(half: Half, sky: Sky): boolean {
  return sky.streamOf(half).wasBlind(half.openedMs, half.closedMs);
}
