/**
 * Which of a node's connections were lost together, and which beside them were not: counts by short
 * slices of time and by peer, kept for some minutes and only of nodes that declared a loss.
 */

/** Of the connections' time, by the server's clock. A burst is not longer, so it is compared with itself. */
const SLICE_MS = 500;
/** Fewer are no neighbourhood. */
const NEIGHBOURS_MIN = 8;
/** Further away than a minute, connections say nothing of each other. */
const REACH_SLICES_MAX = 120;
/** An absence is decided at the latest two minutes after what was compared, before clocks are known. */
const KEPT_MS = 180_000;
/** After the first excuse in a slice: its neighbours are decided by then. */
const RIPE_MS = 30_000;
/** Of one peer: what was there to be lost, and what of it was lost and excused. */
export interface PeerLoss {
  readonly peer: string;
  readonly there: number;
  readonly lost: number;
}

/** In one neighbourhood of time. */
export interface Losses {
  readonly there: number;
  readonly lost: number;
  /** Sorted. */
  readonly peers: readonly PeerLoss[];
}

/** What was lost together, counted in two ways. */
export interface LossRound {
  readonly atMs: number;
  /** By connections. In dense traffic each is as likely to be lost as the next one. */
  readonly connections: Losses;
  /** By slices in which a peer had any: a burst, which is lost or kept as one, counts once. */
  readonly bursts: Losses;
}

/** Plain JSON. */
interface Slice {
  /** Tick after which it was first counted in, and first excused in; null: not yet, or dealt with. */
  readonly sinceMs: number;
  excusedSinceMs: number | null;
  readonly peers: Record<string, [there: number, lost: number]>;
}

/** By number of the slice. */
export type Slices = Record<string, Slice>;

/** Counts connections; `tickMs` is the last tick. */
export function countIn(
  slices: Slices,
  { peer, atMs, tickMs, isExcused }: CountedConnection,
): void {
  const key = String(Math.floor(atMs / SLICE_MS));
  const slice = (slices[key] ??= { sinceMs: tickMs, excusedSinceMs: null, peers: {} });
  const counts = (slice.peers[peer] ??= [0, 0]);
  counts[0]++;
  if (!isExcused) return;
  counts[1]++;
  slice.excusedSinceMs ??= tickMs;
}

interface CountedConnection {
  readonly peer: string;
  readonly atMs: number;
  readonly tickMs: number;
  readonly isExcused: boolean;
}

/** Takes out what is ripe, the earliest first, and forgets what is old. */
export function takeRounds(slices: Slices, nowMs: number): LossRound[] {
  const keys = Object.keys(slices);
  const isRipe = (slice: Slice | undefined): boolean =>
    typeof slice?.excusedSinceMs === "number" && nowMs - slice.excusedSinceMs >= RIPE_MS;
  // Asked at each tick for each node that lost something of late; hardly ever one is ripe.
  const ripe = keys.filter((key) => isRipe(slices[key])).map(Number);
  const rounds: LossRound[] = [];
  for (const number of ripe.sort((a, b) => a - b)) {
    // Unless it is in the round of an earlier one.
    if (isRipe(slices[number])) rounds.push(roundAt(slices, number));
  }
  for (const key of keys) {
    if (nowMs - (slices[key]?.sinceMs ?? nowMs) > KEPT_MS) delete slices[key];
  }
  return rounds;
}

/** Each excuse is in one round only. */
function roundAt(slices: Slices, number: number): LossRound {
  const connections = widened(slices, number, (counts) => counts);
  const bursts = widened(slices, number, ([there, lost]) => [
    Math.min(1, there),
    Math.min(1, lost),
  ]);
  for (const slice of [...connections.within, ...bursts.within]) forgetExcused(slice);
  return { atMs: number * SLICE_MS, connections: connections.losses, bursts: bursts.losses };
}

type Counts = readonly [there: number, lost: number];

/** The nearest slices to both sides, as many as it takes to have neighbours. */
function widened(
  slices: Slices,
  number: number,
  countsOf: (counts: Counts) => Counts,
): { within: Slice[]; losses: Losses } {
  const sums = new Map<string, PeerLoss>();
  const within: Slice[] = [];
  let [there, lost] = [0, 0];
  for (let reach = 0; reach <= REACH_SLICES_MAX && there < NEIGHBOURS_MIN; reach++) {
    for (const slice of at(slices, number, reach)) {
      within.push(slice);
      for (const [peer, counts] of Object.entries(slice.peers)) {
        const more = countsOf(counts);
        const sum = sums.get(peer);
        there += more[0];
        lost += more[1];
        sums.set(peer, {
          peer,
          there: (sum?.there ?? 0) + more[0],
          lost: (sum?.lost ?? 0) + more[1],
        });
      }
    }
  }
  const peers = [...sums.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1));
  return { within, losses: { there, lost, peers } };
}

/** The two slices that are so far away; the one itself at first. */
function at(slices: Slices, number: number, reach: number): Slice[] {
  const both = reach === 0 ? [number] : [number - reach, number + reach];
  return both.flatMap((one) => slices[one] ?? []);
}

/** Each loss is counted once; as a neighbour of others the connection was there all the same. */
function forgetExcused(slice: Slice): void {
  slice.excusedSinceMs = null;
  for (const counts of Object.values(slice.peers)) counts[1] = 0;
}
