/** Aligns the instances at one end of a tuple with those at the other, as far as their clocks are known and all have come. */
import { TCP } from "../../format/protocol.ts";
import { align, type Aligned } from "./align.ts";
import { inOrder } from "../half/half-order.ts";
import type { Half } from "../half/half-records.ts";
import { peerHalf } from "../half/required.ts";
import {
  PAIRING_CLOSE_MS,
  PAIRING_NEAR_MS,
  PAIRING_SKIP_MS,
  PAIRING_SKIP_VAIN_MS,
  SEAL_MS,
} from "../limits.ts";
import { costOf, type Instance } from "./match-cost.ts";

/** Instances of a tuple for which shifts are tried. */
const SHIFTED_MAX = 24;

/** What is known of the node that recorded a half, as of the server's last tick. */
interface NodeSight {
  /** Node clock: its stream was complete up to here. */
  readonly sealedToMs: number;
  /** On the server's clock: its stream is complete up to here, by what came before this tick. */
  readonly watermarkServerMs: number;
  /** How far its clock may be off what is known of it. */
  readonly uncertaintyMs: number;
  /** Whether its clock was being set around this time of its own, and by how much. */
  stepAt(atMs: number): { readonly byMs: number } | undefined;
}

interface Sides {
  readonly sightOf: SightOf;
  /** Whether nothing can come any more that would fit one of them better. */
  readonly hasAllCome: boolean;
}

/** Of the node that recorded a half. */
export type SightOf = (half: Half) => NodeSight;

/**
 * The cheapest pairs, by their places in the two lists. Where a port is used again and again, clocks that are off by
 * as much as is allowed for would set each instance against the next one: so a common shift is tried too, which
 * explains all of them at once.
 */
export function alignSides(
  left: readonly Half[],
  right: readonly Half[],
  { sightOf, hasAllCome }: Sides,
): [left: number, right: number][] {
  const skipMs = skipOf([...left, ...right], sightOf);
  const skipsOf = (side: readonly Half[], others: readonly Half[]): number[] => {
    const toMs = hasAllCome ? Infinity : completeTo(others, sightOf);
    return side.map((half) => {
      if (half.serverMs + SEAL_MS >= toMs) return PAIRING_CLOSE_MS;
      return isVain(half) ? Math.min(skipMs, PAIRING_SKIP_VAIN_MS) : skipMs;
    });
  };
  const [leftSkips, rightSkips] = [skipsOf(left, right), skipsOf(right, left)];
  const [lefts, rights] = [instancesOf(left, sightOf), instancesOf(right, sightOf)];
  let best: Aligned | undefined;
  for (const shiftMs of shiftsOf(left, right, sightOf)) {
    const found = align({
      left: left.length,
      right: right.length,
      skipLeft: (l) => leftSkips[l] ?? skipMs,
      skipRight: (r) => rightSkips[r] ?? skipMs,
      cost: (l, r) => costOf(lefts[l], rights[r], shiftMs),
    });
    const total = found.total + Math.abs(shiftMs);
    if (best === undefined || total < best.total) best = { ...found, total };
  }
  return best?.pairs ?? [];
}

/**
 * The instances at one end, in the order in which they began. Its node numbers them so; but a half that was picked up
 * is numbered late, and where a clock was set, times are out of order.
 */
export function inTurn(halves: readonly Half[]): Half[] {
  const [first] = halves;
  const isOneStream = halves.every(
    (half) => !half.pickup && half.nodeNumber === first?.nodeNumber && half.epoch === first.epoch,
  );
  return halves.toSorted(isOneStream ? (a, b) => a.seq - b.seq : inOrder);
}

/** A TCP connection that ended before it stood: a packet of the one before it that came late makes such a half, at one end alone. */
function isVain(half: Half): boolean {
  return half.protocol === TCP && half.closed && peerHalf(half) === "attempt";
}

/** Up to when nothing of these nodes can come any more, on the server's clock. */
function completeTo(halves: readonly Half[], sightOf: SightOf): number {
  let toMs = Infinity;
  for (const half of halves) {
    const { watermarkServerMs, uncertaintyMs } = sightOf(half);
    toMs = Math.min(toMs, watermarkServerMs - uncertaintyMs);
  }
  return toMs;
}

/** By how much the right side's clock may be ahead of the left one's; first, by nothing. */
function shiftsOf(left: readonly Half[], right: readonly Half[], sightOf: SightOf): number[] {
  const [a, b] = [left[0], right[0]];
  if (a === undefined || b === undefined || left.length + right.length > SHIFTED_MAX) return [0];
  const mostMs = sightOf(a).uncertaintyMs + sightOf(b).uncertaintyMs;
  const shifts = left.flatMap((l) => right.map((r) => Math.round(r.serverMs - l.serverMs)));
  return [0, ...shifts.filter((shiftMs) => Math.abs(shiftMs) <= mostMs)];
}

/** Where a clock is unknown, order alone must do: then leaving two alone never pays. */
function skipOf(halves: readonly Half[], sightOf: SightOf): number {
  const isKnown = halves.every((half) => sightOf(half).uncertaintyMs < PAIRING_SKIP_MS);
  return isKnown ? PAIRING_SKIP_MS : PAIRING_NEAR_MS;
}

function instancesOf(halves: readonly Half[], sightOf: SightOf): Instance[] {
  return halves.map((half) => {
    const { serverMs, pickup } = half;
    const sight = sightOf(half);
    const setByMs = sight.stepAt(half.openedMs)?.byMs ?? 0;
    return { half, serverMs, pickup, uncertaintyMs: sight.uncertaintyMs, setByMs };
  });
}
