/**
 * Whether what a node lost is too often what it had with one peer.
 *
 * An honest loss does not choose: of the connections at one time, which are lost has nothing to do with
 * whom they were with. So in a round with X lost of K, the share of a peer in what was lost is on average
 * its share s in what was there: E[x/X] = s, however the losses cling together (a burst of a hundred
 * connections is lost or kept as one, and a binomial test would be wrong by any number of zeros).
 * Then x/(X s) is a fair bet, and the capital of somebody who stakes a part of it each round,
 *
 *     capital ← max(1, capital) · (1 − stake + stake · x / (X · 1.5 s)),
 *
 * reaches 10⁹ on average after 10⁹ rounds or more (an e-detector; Shin, Ramdas and Rinaldo, 2024).
 * Half as much again as the share stands for what is not chance: clocks that differ by a part of a slice, a burst
 * that causes the loss it suffers from. Both are counted by connections and by bursts, and the lesser
 * counts, so that the bet is fair wherever one of the two is the right measure. It is a bad bet where a
 * peer has two thirds of the connections or more: a node with one busy peer cannot be found by
 * concentration, the budget bounds it. A liar that loses one peer of five has x/X = 1 against 0.3. Several stakes are tried at once, and
 * their mean counts, which is as fair.
 *
 * The rounds of one day count, so that what coincides once a day, such as a restart and who ordered it,
 * does not add up.
 */
import { HOUR_MS } from "../../hours.ts";
import type { Losses, LossRound, PeerLoss } from "./loss-window.ts";

/** As many to one against an honest node. A mesh of 1,000 nodes with 100 peers each is 10⁵ such bets. */
export const CAPITAL_MAX = 1e9;
/** Fewer lost connections are no pattern, whatever the capital. */
export const CONCENTRATED_MIN = 8;
const STAKES = [0.3, 0.6, 0.9];
/** For what an honest loss may have to do with a peer after all. */
const SHARE_MARGIN = 1.5;
const DAY_MS = 24 * HOUR_MS;
/** No single round is worth more, so that it takes many. */
const TIMES_MAX = 4;
/** The newest; they do for a decision by far. */
const ROUNDS_MAX = 256;

/** Plain JSON: what is remembered of one peer, and only while something speaks against the node. */
interface Suspicion {
  rounds: SuspectRound[];
}

interface SuspectRound {
  readonly atMs: number;
  readonly lost: number;
  /** Times what an honest loss may have on average. */
  readonly times: number;
}

/** By peer. */
export type Suspicions = Record<string, Suspicion>;

/** Rounds are to be taken in the order of their time. */
export function noteRound(suspicions: Suspicions, { atMs, connections, bursts }: LossRound): void {
  if (connections.lost === 0) return;
  for (const [at, { peer, lost }] of bursts.peers.entries()) {
    const times = Math.min(
      TIMES_MAX,
      timesOf(bursts, bursts.peers[at]),
      timesOf(
        connections,
        connections.peers.find((one) => one.peer === peer),
      ),
    );
    // A peer with which no more was lost than its share needs no memory: its capital begins with one.
    if (suspicions[peer] === undefined && times <= 1) continue;
    const { rounds } = (suspicions[peer] ??= { rounds: [] });
    rounds.push({ atMs, lost, times });
    if (rounds.length > ROUNDS_MAX) rounds.shift();
  }
}

/** The peer's share in what was lost, in terms of its share in what was there. */
function timesOf(losses: Losses, of: PeerLoss | undefined): number {
  if (of === undefined || losses.lost === 0) return 0;
  return of.lost / losses.lost / ((SHARE_MARGIN * of.there) / losses.there);
}

/** Forgets rounds older than a day, and peers that nothing speaks against any more. */
export function forgetBefore(suspicions: Suspicions, nowMs: number): void {
  for (const [peer, suspicion] of Object.entries(suspicions)) {
    suspicion.rounds = suspicion.rounds.filter((one) => nowMs - one.atMs <= DAY_MS);
    if (capitalOf(suspicion) <= 1) delete suspicions[peer];
  }
}

/** 1: nothing speaks against the node. One in so many honest nodes has as much. */
export function capitalOf({ rounds }: Suspicion): number {
  let total = 0;
  for (const stake of STAKES) {
    let capital = 1;
    for (const { times } of rounds) capital = Math.max(1, capital) * (1 - stake + stake * times);
    total += capital;
  }
  return total / STAKES.length;
}

export function lostIn({ rounds }: Suspicion): number {
  return rounds.reduce((total, one) => total + one.lost, 0);
}
