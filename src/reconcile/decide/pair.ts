/** Whether the counters of the two halves of a connection fit, once they are final. */
import type { Counters } from "../../format/entry.ts";
import { UDP } from "../../format/protocol.ts";
import {
  counterDifference,
  type CounterDifference,
  type CountedEnd,
  endsDifference,
} from "./counters.ts";
import { BIT, FORWARDER, type Half, WORD } from "../half/half-records.ts";
import { hasMark, MARK } from "../half/half-state.ts";
import { accountsEnd, isPast, isPastAccounts, type Sky, type Until } from "./judge.ts";
import { isEither, isSameTuple, tupleOf } from "../half/tuple-index.ts";
import { ABSENCE_SLACK_MS, EXCUSE_SLACK_MS, TOLD_EVERY_MS } from "../limits.ts";

const UNAVAILABLE = { counters: "unavailable" } as const;
const FITS = { counters: "final", difference: undefined } as const;

/** `for`: the last counters of one end, or other parts of a session that the ends divide differently. */
export type PairJudgement =
  | {
      readonly counters: "pending";
      readonly for: "counters" | "parts";
      readonly until: readonly Until[];
    }
  | { readonly counters: "unavailable" }
  | { readonly counters: "final"; readonly difference: CounterDifference | undefined };

/**
 * `beside`: what else is recorded of the same tuple at that time: forwarders between the two, and
 * parts of a session that one end divided.
 */
export function judgePair(a: Half, b: Half, sky: Sky, beside: readonly Half[]): PairJudgement {
  if (beside.length === 0 && isPlainlyEqual(a, b)) return FITS;
  const between = beside.filter((half) => half.roleNumber === FORWARDER);
  const counting = [a, b, ...between].filter((half) => !isPastAccounts(half, sky));
  if (counting.length > 0) {
    const until = counting.flatMap((half) => accountsEnd(half, sky) ?? []);
    return { counters: "pending", for: "counters", until };
  }
  const parts = beside.filter((half) => isPartOf(half, a) || isPartOf(half, b));
  const judgement = a.accounted && b.accounted ? compare(a, b, sky, parts) : UNAVAILABLE;
  // Counters that fit have no part elsewhere, or parts too small to tell where one end lasted longer.
  const fits = judgement.counters === "final" && judgement.difference === undefined;
  if (fits && !isDivided(a, b, parts)) return judgement;
  // A part that has not told its end may count for long yet: its next entry tells.
  if (parts.some((part) => !isPastAccounts(part, sky) && accountsEnd(part, sky) === undefined)) {
    return { counters: "pending", for: "parts", until: [] };
  }
  const until = partsToCome([a, b, ...parts], sky);
  return until.length > 0 ? { counters: "pending", for: "parts", until } : judgement;
}

/**
 * Nearly all pairs: alone, accounted for at both ends, and equal to the byte. What follows for them
 * is what follows below, without its lists: a tenth off the comparison.
 */
function isPlainlyEqual(a: Half, b: Half): boolean {
  if (a.protocol === UDP || a.roleNumber === b.roleNumber || !isPlain(a) || !isPlain(b)) {
    return false;
  }
  const isEqual = (word: number): boolean =>
    a.records.word(a.slot, word) === b.records.word(b.slot, word);
  return (
    isEqual(WORD.initiatorBytes) &&
    isEqual(WORD.responderBytes) &&
    isEqual(WORD.initiatorPayload) &&
    isEqual(WORD.responderPayload)
  );
}

function isPlain(half: Half): boolean {
  return half.accounted && half.has(BIT.counted) && !half.pickup && !hasMark(half, MARK.split);
}

/** A UDP session that lay within that of the other end, whose kernel is more patient. */
export function isPartOf(half: Half, whole: Half): boolean {
  if (half.protocol !== UDP || half.roleNumber === FORWARDER) return false;
  return (
    half.ownIpNumber !== whole.ownIpNumber &&
    whole.serverMs - ABSENCE_SLACK_MS <= half.serverMs &&
    half.serverMs <= (whole.closed ? whole.closedServerMs : Infinity) + ABSENCE_SLACK_MS
  );
}

/** The kernel of one end may have taken for several sessions what is one at the other. */
function isDivided(a: Half, b: Half, parts: readonly Half[]): boolean {
  if (a.protocol !== UDP) return false;
  return parts.length > 0 || Math.abs(endOrOpenMs(a) - endOrOpenMs(b)) > ABSENCE_SLACK_MS;
}

/**
 * The ends of a UDP session do not end it at one time: what one counts here, the other may count in a
 * session that it begins later, and in several.
 */
function partsToCome(halves: readonly Half[], sky: Sky): Until[] {
  if (halves[0]?.protocol !== UDP) return [];
  const open = halves.flatMap((half) => (isPastAccounts(half, sky) ? [] : [half]));
  const uncertaintyMs = halves.reduce((sum, half) => sum + sky.streamOf(half).uncertaintyMs, 0);
  const endMs = halves.reduce((last, half) => Math.max(last, lastMs(half)), 0);
  const atMs = endMs + ABSENCE_SLACK_MS + uncertaintyMs;
  const nodes = new Set(halves.map((half) => sky.streamOf(half)));
  const until = [...nodes].map((node) => ({ node, atMs }));
  return [
    ...until.filter((one) => !isPast(one, sky)),
    ...open.flatMap((half) => accountsEnd(half, sky) ?? []),
  ];
}

/** Up to when it may have lasted, on the server's clock: one that was cut off until it would have been told of again. */
function lastMs(half: Half): number {
  const isCutOff = half.cutOff && !half.closed;
  return isCutOff ? half.serverMs + half.durationMs + TOLD_EVERY_MS : endOrOpenMs(half);
}

/** Its end, on the server's clock; while it lives, its beginning. */
function endOrOpenMs(half: Half): number {
  return half.closed ? half.closedServerMs : half.serverMs;
}

/**
 * While an agent is stopped, or has taken its rule away, its kernel may not count: then a difference
 * says nothing. Counters that agree all the same are final.
 */
function compare(a: Half, b: Half, sky: Sky, parts: readonly Half[]): PairJudgement {
  const [initiator, responder] = inDirection(a, b);
  if (a.pickup || b.pickup) return UNAVAILABLE;
  const isSplit = hasMark(a, MARK.split) || hasMark(b, MARK.split);
  if (isSplit && parts.length === 0) return UNAVAILABLE;
  const sent = withParts(initiator, parts);
  const answered = withParts(responder, parts);
  if (sent === undefined || answered === undefined) return UNAVAILABLE;
  const [first, second] = [
    { ...toldBy(initiator), counters: sent },
    { ...toldBy(responder), counters: answered },
  ];
  // Both sent a first packet at once: each counts its own direction first.
  const isCrossed = a.roleNumber === b.roleNumber;
  const difference = endsDifference(first, isCrossed ? turned(second) : second);
  if (difference !== undefined && isPartlyCounted(a, b, isDivided(a, b, parts), sky)) {
    return UNAVAILABLE;
  }
  return { counters: "final", difference };
}

function toldBy(half: Half): Pick<CountedEnd, "state" | "payload"> {
  return { state: half.state === "" ? "OTH" : half.state, payload: half.payload };
}

/** The half of the end that sent first, and that of the one that answered; where both sent first, either. */
export function inDirection(a: Half, b: Half): readonly [initiator: Half, responder: Half] {
  return a.roleNumber === 0 || b.roleNumber === 1 ? [a, b] : [b, a];
}

/** What an end counted in all parts of its session. The other one may have spoken first in a later part. */
function withParts(half: Half, parts: readonly Half[]): Counters | undefined {
  let sum = half.counters;
  for (const part of parts) {
    if (part.ownIpNumber !== half.ownIpNumber) continue;
    const more = part.counters;
    // What was counted until its end was missed is not all.
    if (sum === undefined || more === undefined || !part.accounted) return undefined;
    sum = plus(sum, part.roleNumber === half.roleNumber ? more : mirrored(more));
  }
  return sum;
}

function plus(a: Counters, b: Counters): Counters {
  return {
    initiatorPackets: a.initiatorPackets + b.initiatorPackets,
    initiatorBytes: a.initiatorBytes + b.initiatorBytes,
    responderPackets: a.responderPackets + b.responderPackets,
    responderBytes: a.responderBytes + b.responderBytes,
  };
}

function turned(end: CountedEnd): CountedEnd {
  const { state, counters, payload } = end;
  return {
    state,
    counters: counters && mirrored(counters),
    payload: payload && {
      initiatorBytes: payload.responderBytes,
      responderBytes: payload.initiatorBytes,
    },
  };
}

function mirrored(counters: Counters): Counters {
  return {
    initiatorPackets: counters.responderPackets,
    initiatorBytes: counters.responderBytes,
    responderPackets: counters.initiatorPackets,
    responderBytes: counters.initiatorBytes,
  };
}

/**
 * Where a third witness, which forwarded a connection, contradicts its ends: it must have seen no more than
 * the one sent, and no less than the other received. Undefined where it agrees, or cannot tell.
 */
export function forwarderDifference(
  forwarder: Half,
  a: Half,
  b: Half,
  sky: Sky,
): { readonly end: Half; readonly difference: CounterDifference } | undefined {
  const between = forwarder.counters;
  if (!forwarder.accounted || forwarder.pickup || between === undefined) return undefined;
  const isInferred = [forwarder, a, b].some((half) => half.inferred);
  const isPartly = [a, b].some((half) => isPartlyCounted(forwarder, half, false, sky));
  if (isInferred || isPartly) return undefined;
  const [initiator, responder] = inDirection(a, b);
  // It may have heard of the connection the other way round than one of the ends: of two that call each other, one did.
  const sentOn = along(initiator, forwarder, between) ?? along(responder, forwarder, between);
  if (sentOn === undefined) return undefined;
  const isCrossed = a.roleNumber === b.roleNumber;
  const pairs = [
    [initiator, initiator.counters, sentOn],
    [responder, sentOn, responder.counters && asSeen(responder.counters, isCrossed)],
  ] as const;
  for (const [end, sent, received] of pairs) {
    if (sent === undefined || received === undefined) continue;
    const difference = counterDifference(sent, received);
    if (difference !== undefined) return { end, difference };
  }
  return undefined;
}

/**
 * What a forwarder counted, in the direction of an end's own tuple; undefined where the end's is neither of the
 * two that it has.
 */
function along(end: Half, forwarder: Half, counters: Counters): Counters | undefined {
  const tuple = tupleOf(end);
  for (const own of [tupleOf(forwarder), forwarder.second]) {
    if (own === undefined || !isEither(own, tuple)) continue;
    return asSeen(counters, !isSameTuple(own, tuple));
  }
  return undefined;
}

function asSeen(counters: Counters, isTurned: boolean): Counters {
  return isTurned ? mirrored(counters) : counters;
}

/**
 * The end of a UDP session is known to the second, and later at one end: what either lived through
 * counts. Of a divided one, a whole part may be among what an end admits that it lost.
 */
function isPartlyCounted(a: Half, b: Half, divided: boolean, sky: Sky): boolean {
  const slackMs = a.protocol === UDP ? EXCUSE_SLACK_MS : 0;
  const fromMs = Math.min(a.serverMs, b.serverMs) - slackMs;
  const toMs = Math.max(endOrOpenMs(a), endOrOpenMs(b)) + slackMs;
  return [a, b].some((half) => {
    const node = sky.streamOf(half);
    const [fromNodeMs, toNodeMs] = [node.toNodeMs(fromMs), node.toNodeMs(toMs)];
    return node.wasBlind(fromNodeMs, toNodeMs) || (divided && node.hasLost(fromNodeMs, toNodeMs));
  });
}
