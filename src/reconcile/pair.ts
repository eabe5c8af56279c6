/** Whether the counters of two halves fit, once both are final. */
import { counterDifference, type CounterDifference } from "./counters.ts";
import { FORWARDER, type Half } from "./half-records.ts";
import { hasMark, MARK } from "./half-state.ts";
import { accountsEnd, isPastAccounts, wakeLimitMs, type Sky, type Until } from "./judge.ts";
import { ABSENCE_SLACK_MS } from "./limits.ts";

const UDP = 17;
const UNAVAILABLE = { counters: "unavailable" } as const;

/** `for`: the last counters of one end, or other parts of a session that the ends divide differently. */
export type PairJudgement =
  | {
      readonly counters: "pending";
      readonly for: "counters" | "parts";
      readonly until: readonly Until[];
    }
  | { readonly counters: "unavailable" }
  | { readonly counters: "final"; readonly difference: CounterDifference | undefined };

export function judgePair(a: Half, b: Half, sky: Sky): PairJudgement {
  if (!isPastAccounts(a, sky) || !isPastAccounts(b, sky)) {
    return { counters: "pending", for: "counters", until: openEnds(a, b, sky) };
  }
  const judgement = a.accounted && b.accounted ? compare(a, b, sky) : UNAVAILABLE;
  // Counters that fit have no part elsewhere.
  if (judgement.counters === "final" && judgement.difference === undefined) return judgement;
  const until = splitsToCome(a, b, sky);
  return until.length > 0 ? { counters: "pending", for: "parts", until } : judgement;
}

/** Halves whose final counters may still come. */
function openEnds(a: Half, b: Half, sky: Sky): Until[] {
  return [a, b].flatMap((half) => {
    if (isPastAccounts(half, sky)) return [];
    const end = accountsEnd(half, sky);
    return end === undefined ? [] : [end];
  });
}

/** The ends of a UDP session do not end it at one time: one may begin another that the other end counts here. */
function splitsToCome(a: Half, b: Half, sky: Sky): Until[] {
  if (a.protocol !== UDP) return [];
  const atMs =
    Math.max(endOf(a), endOf(b)) + ABSENCE_SLACK_MS + uncertaintyOf(a, sky) + uncertaintyOf(b, sky);
  return [sky.streamOf(a), sky.streamOf(b)]
    .map((node) => ({ node, atMs }))
    .filter(({ node }) => wakeLimitMs(node, sky.nowMs) <= atMs);
}

function endOf(half: Half): number {
  return half.closed ? half.closedServerMs : half.serverMs;
}

function uncertaintyOf(half: Half, sky: Sky): number {
  return sky.streamOf(half).uncertaintyMs;
}

/**
 * While an agent is stopped, or has taken its rule away, its kernel may not count: then a difference
 * says nothing. Counters that agree all the same are final.
 */
function compare(a: Half, b: Half, sky: Sky): PairJudgement {
  const [initiator, responder] = a.roleNumber === 0 || b.roleNumber === 1 ? [a, b] : [b, a];
  const [sent, received] = [initiator.counters, responder.counters];
  if (sent === undefined || received === undefined) return UNAVAILABLE;
  if (a.pickup || b.pickup || hasMark(a, MARK.split) || hasMark(b, MARK.split)) {
    return UNAVAILABLE;
  }
  const difference = counterDifference(sent, received);
  if (difference !== undefined && [a, b].some((half) => isPartlyCounted(half, sky))) {
    return UNAVAILABLE;
  }
  return { counters: "final", difference };
}

/** Whether a third witness, which forwarded it, counted what can lie between the two. */
export function forwarderAgrees(forwarder: Half, half: Half): boolean {
  if (forwarder.roleNumber !== FORWARDER) return false;
  const [between, own] = [forwarder.counters, half.counters];
  if (between === undefined || own === undefined) return false;
  const isInitiator = half.roleNumber === 0;
  return counterDifference(isInitiator ? own : between, isInitiator ? between : own) === undefined;
}

function isPartlyCounted(half: Half, sky: Sky): boolean {
  return sky.streamOf(half).wasBlind(half.openedMs, half.closedMs);
}
