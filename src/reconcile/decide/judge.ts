/**
 * What a half that stands alone means, from what is known at the server's tick. Pure: it reads state
 * and answers; what an excuse uses up is used up by the caller.
 */
import { UDP } from "../../format/protocol.ts";
import type { AddressBook } from "../node/address-book.ts";
import type { ProducibleCause } from "../node/excuse/excuse-budget.ts";
import { type EntryPlace, FORWARDER, type Half } from "../half/half-records.ts";
import type { Excuse } from "../half/half-state.ts";
import { peerHalf } from "../half/required.ts";
import {
  ABSENCE_SLACK_MS,
  ACCOUNT_WAIT_MS,
  EXCUSE_SLACK_MS,
  FORWARDED_WAIT_MS,
  NAMING_SLACK_MS,
  OFFLINE_PATIENCE_MS,
  RESUME_WAIT_MS,
  RETRANSMIT_MS_MAX,
  STRANGER_WAIT_MS,
  SWEEP_EVERY_MS,
  UNANSWERED_WAIT_MS,
} from "../limits.ts";
import type { Absence } from "../node/node-memory.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { farewellLimitMs, wakeLimitMs } from "./wake-limit.ts";

const ASK_AGAIN_MS = 5_000;

export interface Sky {
  /** The server's last tick. */
  readonly nowMs: number;
  readonly book: AddressBook;
  streamOf(half: Half): NodeStream;
  /** On the server's clock: all nodes that are heard of at all are complete up to here, as far as their clocks are known. */
  readonly everybodyMs: number;
  /** The half of `forwarder` for the same connection, if that translates addresses. */
  forwarderOf(half: Half, forwarder: NodeStream): Half | undefined;
}

/** When to look again: once that node's stream has passed `atMs` on the server's clock. */
export interface Until {
  readonly node: NodeStream;
  readonly atMs: number;
  /** To look earlier, if something else may have changed by then. */
  readonly lookMs?: number;
  /** That node left, and nothing of its stream is to come: wait for its farewell to be worked off, whatever its watermark. */
  readonly isFarewell?: true;
}

/**
 * `wait` without `until`: for an entry of its own. `absent`: the other end had to have it, says that it is complete
 * past it, and has no reason of its own: what else may excuse it is the caller's to find. `bridged`: the peer
 * forwarded it with an address of its own, for something that is no node.
 */
export type LoneJudgement =
  | { readonly verdict: "wait"; readonly until?: readonly Until[] }
  | { readonly verdict: "external" | "unanswered" }
  | {
      readonly verdict: "excused";
      readonly excuse: Excuse;
      readonly proof?: EntryPlace;
      /** The node that could have made the excuse up. */
      readonly producer?: NodeStream;
      /** What counts as its cause in that node's budget; default: by the excuse. */
      readonly cause?: ProducibleCause;
      /** The node that had to have it, if the excuse does not count. Default: the producer. */
      readonly peer?: NodeStream;
      /** The half by which that node is its peer. */
      readonly forwarder?: Half;
    }
  | { readonly verdict: "bridged"; readonly forwarder: Half }
  | {
      readonly verdict: "absent";
      readonly peer: NodeStream;
      /** The half by which it is that node that had to have it. */
      readonly forwarder?: Half;
    };

const WAIT: LoneJudgement = { verdict: "wait" };

export function judgeLone(half: Half, sky: Sky): LoneJudgement {
  if (half.roleNumber === FORWARDER) return excused("router");
  const claim = sky.book.lookup(half.network, half.peerIp);
  if (claim.kind === "nobody") return { verdict: "external" };
  const own = sky.book.lookup(half.network, half.ownIp);
  if (claim.kind === "contested") return ambiguous(half, claim.nodes, sky);
  if (own.kind === "contested") return ambiguous(half, own.nodes, sky);
  const forwarder = sky.forwarderOf(half, claim.node);
  if (forwarder !== undefined) return judgeBeyond(half, forwarder, sky);
  const need = peerHalf(half);
  if (need !== "required") return standsAlone(half, need, { peer: claim.node, sky });
  const judgement = absent(half, claim.node, sky);
  const isLate = half.receivedMs - half.serverMs > FORWARDED_WAIT_MS;
  if (judgement.verdict !== "absent" || !isLate || !claim.node.memory.forwards) return judgement;
  // What it forwarded is not kept for so long.
  return { ...excused("router"), producer: claim.node, cause: "stranger", peer: claim.node };
}

/** Excused once all nodes that claim the address are past it: until then, one of them may give it up. */
function ambiguous(half: Half, claimants: readonly NodeStream[], sky: Sky): LoneJudgement {
  const until = claimants
    .filter((node) => absenceOf(half, node)?.toMs !== null)
    .map((node) => heardOf(half, node, sky))
    .filter((one) => !isPast(one, sky));
  return until.length > 0 ? { verdict: "wait", until } : excused("ambiguous_address");
}

/** Whether a node that is behind may yet name the peer's address as its own, or have been given another on the way. */
export function mayBeNamed(half: Half, sky: Sky): boolean {
  return Math.floor(sky.everybodyMs / 1000) <= Math.floor(namedBy(half, sky) / 1000);
}

/**
 * When every node that is heard of at all has told of the connection, if it was one of its own; a kernel tells of a
 * short UDP session when it forgets it. A forwarder's half stays until the end behind it, which may hear only of a
 * later SYN, has been judged.
 */
export function namedBy(half: Half, sky: Sky): number {
  const waitMs = half.protocol === UDP ? ACCOUNT_WAIT_MS : NAMING_SLACK_MS;
  const isForwarder = half.roleNumber === FORWARDER;
  const behindMs = isForwarder ? RETRANSMIT_MS_MAX + ABSENCE_SLACK_MS : 0;
  return half.serverMs + waitMs + behindMs + sky.streamOf(half).uncertaintyMs;
}

/**
 * What a translator's half waits for once nothing of its own is to come: ends that are out of reach, whose halves
 * say nothing of each other without it.
 */
export function endsToCome(forwarder: Half, sky: Sky): Until[] {
  const { second } = forwarder;
  if (second === undefined) return [];
  const own = sky.streamOf(forwarder);
  const patience = { node: own, atMs: forwarder.serverMs + FORWARDED_WAIT_MS };
  if (isPast(patience, sky)) return [];
  const { initiatorIpNumber, responderIpNumber, names, network } = forwarder;
  const ends = new Set<NodeStream>();
  for (const ip of [initiatorIpNumber, responderIpNumber, second.initiatorIp, second.responderIp]) {
    const claim = sky.book.lookup(network, names.addressOf(ip));
    if (claim.kind === "node" && claim.node !== own) ends.add(claim.node);
  }
  const heardMs = forwarder.serverMs + RETRANSMIT_MS_MAX + ABSENCE_SLACK_MS + own.uncertaintyMs;
  const until = [...ends]
    .map((node) => ({ node, atMs: heardMs + node.uncertaintyMs }))
    .filter((one) => !isPast(one, sky));
  return until.length === 0 ? [] : [...until, patience];
}

/** What an end calls its peer is a forwarder: its true peer is on the other side of that. */
function judgeBeyond(half: Half, forwarder: Half, sky: Sky): LoneJudgement {
  const ip = half.roleNumber === 0 ? forwarder.second?.responderIp : forwarder.initiatorIpNumber;
  const claim = sky.book.lookup(half.network, half.names.addressOf(ip ?? 0));
  if (claim.kind === "nobody") {
    return mayBeNamed(half, sky) ? { verdict: "external" } : { verdict: "bridged", forwarder };
  }
  if (claim.kind === "contested") return excused("ambiguous_address");
  const need = peerHalf(half);
  if (need !== "required") return standsAlone(half, need, { peer: claim.node, sky });
  const found = absent(half, claim.node, sky);
  const judgement =
    found.verdict === "absent" || found.verdict === "excused" ? { ...found, forwarder } : found;
  const isLate = forwarder.receivedMs - forwarder.serverMs > NAMING_SLACK_MS;
  if (judgement.verdict !== "absent" || !isLate) return judgement;
  // The half of the end behind it may have been decided long ago, without that of a forwarder that tells so late; and any can.
  return {
    ...excused("nat", { index: forwarder.index, seq: forwarder.seq }),
    producer: sky.streamOf(forwarder),
    cause: "stranger",
    peer: claim.node,
    forwarder,
  };
}

/**
 * A half that need not have a partner: it is judged when that had the time to come. What an initiator tried in vain
 * is judged soon; but a half that may have to have one after all is kept until its peer is heard.
 */
function standsAlone(
  half: Half,
  reason: "attempt" | "pickup" | "one_way" | "protocol",
  { peer, sky }: { readonly peer: NodeStream; readonly sky: Sky },
): LoneJudgement {
  if (reason !== "pickup" && !half.closed && !isPastAccounts(half, sky)) {
    const end = accountsEnd(half, sky);
    return end === undefined ? WAIT : { verdict: "wait", until: [end] };
  }
  const isVain = reason === "attempt" && half.roleNumber === 0;
  const heard = heardOf(half, peer, sky);
  const late = { node: sky.streamOf(half), atMs: half.serverMs + UNANSWERED_WAIT_MS };
  const until = isVain ? [heard, late] : [heard];
  if (!until.some((one) => isPast(one, sky))) return { verdict: "wait", until };
  if (isVain) return { verdict: "unanswered" };
  return excused(reason === "attempt" ? "one_way" : reason);
}

/** A half that must have a partner: that is absent only when its node's stream is complete past it. */
function absent(half: Half, peer: NodeStream, sky: Sky): LoneJudgement {
  if (half.receivedMs - half.serverMs > OFFLINE_PATIENCE_MS) return excused("offline");
  const own = sky.streamOf(half);
  const absence = absenceOf(half, peer);
  const heard = heardOf(half, peer, sky);
  const until = [heard, { node: own, atMs: half.serverMs + ABSENCE_SLACK_MS }];
  const open = until.filter((one) => !isPast(one, sky));
  // The absence may be over, though nothing was heard of that yet; so may an opt-out, before which nothing is to come.
  if (absence?.toMs === null && (open.length > 0 || absence.reason === "opted_out")) {
    const left: Until[] = [
      { node: own, atMs: half.serverMs + ABSENT_WAIT_MS[absence.reason] },
      { node: peer, atMs: half.serverMs, isFarewell: true },
    ];
    const late = left.filter((one) => !isPast(one, sky));
    if (late.length > 0) return { verdict: "wait", until: [...open, ...late] };
  } else if (open.length > 0) return { verdict: "wait", until: open };
  if (absence !== undefined) {
    const excuse = excused(ABSENCE_EXCUSE[absence.reason], absence.place);
    return absence.reason === "stopped" ? { ...excuse, producer: peer } : excuse;
  }
  if (own.stepAt(half.openedMs) !== undefined) return excused("clock");
  // A node that sets its own clock excuses itself.
  const isUncertain = peer.stepAt(peer.toNodeMs(half.serverMs)) !== undefined;
  return isUncertain ? { ...excused("clock"), producer: peer } : { verdict: "absent", peer };
}

function absenceOf(half: Half, peer: NodeStream): Absence | undefined {
  return peer.absenceAt(half.serverMs, EXCUSE_SLACK_MS + clockSlackMs(peer));
}

/**
 * An unknown clock would let an absence excuse minutes around it: absences wait for it to be known. Nor does it
 * excuse more because its node sends late, which any node can do around its stops.
 */
function clockSlackMs(node: NodeStream): number {
  return node.clock.isKnown ? node.steadyUncertaintyMs : 0;
}

/**
 * From when on the peer's silence about `half` says something, on the server's clock: its kernel heard
 * of the connection by the time at which this end knew that it stood. While a clock is unknown it is
 * asked again whenever the peer has moved on: the clock may be known by then.
 */
export function heardOf(half: Half, peer: NodeStream, sky: Sky): Until {
  const own = sky.streamOf(half);
  const provenMs = half.serverMs + provenAfterMs(half) + ABSENCE_SLACK_MS;
  const atMs = provenMs + own.uncertaintyMs + peer.uncertaintyMs;
  if (own.clock.isKnown && peer.clock.isKnown) return { node: peer, atMs };
  const againMs = Math.max(provenMs, peer.watermarkServerMs + ASK_AGAIN_MS);
  return { node: peer, atMs, lookMs: Math.min(atMs, againMs) };
}

/** By how much later than the open this end knew that its peer took part: the first SYNs may be lost. */
export function provenAfterMs(half: Half): number {
  return Math.max(0, half.provenMs - half.openedMs);
}

/**
 * By the second, as `Waiting` wakes: so that it makes no difference to look at a half more often, as
 * after a restart.
 */
export function isPast({ node, atMs, isFarewell }: Until, sky: Sky): boolean {
  const limitMs = isFarewell ? farewellLimitMs(node, sky.nowMs) : wakeLimitMs(node, sky.nowMs);
  return Math.floor(limitMs / 1000) > Math.floor(atMs / 1000);
}

function excused(
  excuse: Excuse,
  proof?: EntryPlace,
): Extract<LoneJudgement, { readonly verdict: "excused" }> {
  return proof === undefined
    ? { verdict: "excused", excuse }
    : { verdict: "excused", excuse, proof };
}

/** How long a node that left is waited for: it may be back already, and its first batch on the way. */
const ABSENT_WAIT_MS = {
  stopped: STRANGER_WAIT_MS,
  not_started: STRANGER_WAIT_MS,
  opted_out: RESUME_WAIT_MS,
} as const;

const ABSENCE_EXCUSE = {
  stopped: "offline",
  opted_out: "opted_out",
  not_started: "not_monitored",
} as const;

/** When the final counters of a half can no longer come; undefined while it lives. */
export function accountsEnd(half: Half, sky: Sky): Until | undefined {
  const node = sky.streamOf(half);
  if (half.cutOff) return undefined;
  if (half.closed) return { node, atMs: half.closedServerMs + ACCOUNT_WAIT_MS };
  return node.memory.state === "revoked" ? { node, atMs: half.receivedMs } : undefined;
}

/** Whether its end is known, or that none is to come: until then nothing but the sweep of each hour ends it. */
export function hasEnded(half: Half, node: NodeStream): boolean {
  return half.closed || half.cutOff || node.memory.state === "revoked";
}

/** No final counters will come for this half any more. */
export function isPastAccounts(half: Half, sky: Sky): boolean {
  if (half.accounted || half.cutOff) return true;
  const end = accountsEnd(half, sky);
  return end === undefined ? isForgotten(half, sky) : isPast(end, sky);
}

/**
 * Its end was among what its node lost: a half that lives says so every five minutes, and its node is complete
 * a day past the last time. By the hour, because that is when such halves are looked for.
 */
function isForgotten(half: Half, sky: Sky): boolean {
  const { watermarkMs } = sky.streamOf(half).memory;
  return sweepOf(watermarkMs) > sweepOf(half.heardMs + OFFLINE_PATIENCE_MS);
}

/** Number of the hour of a node's clock. */
export function sweepOf(atMs: number): number {
  return Math.floor(atMs / SWEEP_EVERY_MS);
}
