/** What it costs to take two halves for one connection, in milliseconds. Where leaving both alone costs less, they are not one. */
import { TCP } from "../../format/protocol.ts";
import type { Half } from "../half/half-records.ts";
import {
  PAIRING_CLOSE_MS,
  PAIRING_PICKUP_MS,
  PAIRING_SKIP_MS,
  RETRANSMIT_MS_MAX,
} from "../limits.ts";

/** Each millisecond by which a pair is further apart than two ends that agree counts so many times: nothing common to all explains it. */
const FAR_FACTOR = 4;
/** That a first packet was sent again is likelier than that one half is lacking at each end, and each further time half as likely. */
const RETRANSMITTED_MS = 2_000;
const RETRANSMITTED_AGAIN_MS = 500;

/** A half that is aligned, with what is asked of it again and again. */
export interface Instance {
  readonly half: Half;
  readonly serverMs: number;
  readonly pickup: boolean;
  readonly uncertaintyMs: number;
  /** By how much its clock was set around the time at which it began; 0: it was not. */
  readonly setByMs: number;
}

export function costOf(a: Instance | undefined, b: Instance | undefined, shiftMs: number): number {
  if (a === undefined || b === undefined) return Infinity;
  const nearMs = PAIRING_SKIP_MS + a.uncertaintyMs + b.uncertaintyMs;
  // After a crash an agent may open again what it had opened, and not know when it began.
  if (a.pickup || b.pickup) {
    if (!canPair(a.half, b.half)) return Infinity;
    const apart = apartMs(a.half, b.half);
    return apart <= nearMs ? apart + PAIRING_PICKUP_MS : Infinity;
  }
  const lateMs = b.serverMs - a.serverMs - shiftMs;
  const setByMs = Math.abs(a.setByMs) + Math.abs(b.setByMs);
  // Nearly all pairs of many instances end here, before their records are read.
  if (Math.abs(lateMs) - setByMs > Math.max(nearMs, RETRANSMIT_MS_MAX)) return Infinity;
  if (!canPair(a.half, b.half)) return Infinity;
  const distance = (byMs: number): number => distanceMs(a.half, b.half, lateMs + byMs, nearMs);
  if (setByMs === 0) return distance(0);
  // It may have been stamped before its clock was set, and corrected for the clock as it is since.
  return Math.min(distance(0), distance(-a.setByMs), distance(b.setByMs));
}

/** `lateMs`: by how much the second opened later. */
export function distanceMs(a: Half, b: Half, lateMs: number, nearMs: number): number {
  const apart = Math.abs(lateMs);
  if (apart <= PAIRING_CLOSE_MS) return apart;
  const far = PAIRING_CLOSE_MS + (apart - PAIRING_CLOSE_MS) * FAR_FACTOR;
  return Math.min(apart <= nearMs ? far : Infinity, retransmitted(a, b, lateMs));
}

export function canPair(a: Half, b: Half): boolean {
  if (a.nodeNumber === b.nodeNumber || a.ownIpNumber === b.ownIpNumber) return false;
  return orientationsFit(a, b);
}

/** Both ends agree on which of them began, unless one guessed, or both began at once. */
function orientationsFit(a: Half, b: Half): boolean {
  if (a.pickup || b.pickup) return true;
  if (a.roleNumber !== b.roleNumber) return true;
  return a.roleNumber === 0 && b.roleNumber === 0 && a.initiatorIpNumber !== b.initiatorIpNumber;
}

/**
 * The first SYN was lost, and some after it: the responder's kernel heard of it whole seconds later (Linux
 * waits for 1, 2, 4, … s, newer ones for 1 s a few times first). Infinity where that is no explanation.
 */
function retransmitted(a: Half, b: Half, lateMs: number): number {
  if (a.protocol !== TCP || a.roleNumber === b.roleNumber) return Infinity;
  const afterMs = a.roleNumber === 0 ? lateMs : -lateMs;
  const seconds = Math.round(afterMs / 1000);
  if (seconds < 1 || afterMs > RETRANSMIT_MS_MAX) return Infinity;
  const offMs = Math.abs(afterMs - seconds * 1000);
  if (offMs > PAIRING_CLOSE_MS) return Infinity;
  return RETRANSMITTED_MS + Math.log2(seconds) * RETRANSMITTED_AGAIN_MS + offMs;
}

/** A picked-up half was open for an unknown time: only that both lived at once can be asked. */
export function apartMs(a: Half, b: Half): number {
  if (!a.pickup && !b.pickup) return Math.abs(a.serverMs - b.serverMs);
  return Math.max(0, a.serverMs - livedToMs(b), b.serverMs - livedToMs(a));
}

/** Up to when it lived, on the server's clock; Infinity while it lives. */
export function livedToMs(half: Half): number {
  return half.closed ? half.closedServerMs : Infinity;
}
