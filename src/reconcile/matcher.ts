/**
 * Which two halves belong together. The seam behind which matching may become cleverer: callers
 * add a half and get its partner or nothing, and every half is paired at most once.
 *
 * This matcher pairs by tuple and order: per unordered tuple and network, the halves of one end wait
 * in a queue for those of the other end, and the nearest in time that is near enough is taken. A
 * port is used again within seconds on a busy host. So halves that began at one time are a pair at
 * once; those further apart (clocks that differ, readers that lag) only when nothing nearer can
 * come, or a lost half would set every later one of its tuple against the wrong partner.
 */
import type { Half } from "./half.ts";

export interface Matcher {
  /** The waiting half that fits, which waits no longer; or undefined, and `half` waits. */
  add(half: Half): Half | undefined;
  /** The nearest that waits too, for a half whose partner at once would be here by now; both go on waiting. */
  candidate(half: Half): Half | undefined;
  /** A waiting half will not be asked for again. Harmless for one that does not wait. */
  remove(half: Half): void;
  readonly waiting: number;
}

export interface MatcherOptions {
  /** How far apart two opens of one connection may be, clocks included. */
  readonly nearMs: number;
  /** How far apart they may be to be paired before others had the time to come. */
  readonly atOnceMs: number;
}

/** Waiting halves of one pair of ports; one, nearly always. */
type Waiting = Half | Half[];
type Ports = Map<number, Waiting>;

/** Pairs of addresses remembered though none of their halves waits: some 20 MB. */
const PAIRS_KEPT_MAX = 100_000;

export class TupleMatcher implements Matcher {
  readonly #options: MatcherOptions;
  /** By network, lower and higher address, then by protocol and ports as one number. */
  readonly #networks = new Map<string, Map<string, Map<string, Ports>>>();
  #waiting = 0;
  /** Pairs of addresses in `#networks`. */
  #pairs = 0;

  constructor(options: MatcherOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  add(half: Half): Half | undefined {
    const queues = this.#queuesOf(half);
    const ports = portsOf(half);
    const queue = queues.get(ports);
    const partner = queue === undefined ? undefined : this.#atOnce(queue, half);
    if (partner !== undefined) {
      this.#drop(queues, ports, partner);
      // Kept while there are few: the two are likely to talk again.
      if (queues.size === 0 && this.#pairs > PAIRS_KEPT_MAX) this.#forget(half);
      return partner;
    }
    queues.set(ports, queue === undefined ? half : listOf(queue, half));
    this.#waiting++;
    return undefined;
  }

  candidate(half: Half): Half | undefined {
    const queue = this.#waitingWith(half)?.get(portsOf(half));
    // Nearly always it waits alone.
    if (!Array.isArray(queue)) return undefined;
    return nearest(queue, half, (other) => livesApart(other, half) <= this.#options.nearMs);
  }

  remove(half: Half): void {
    const queues = this.#waitingWith(half);
    if (queues === undefined) return;
    this.#drop(queues, portsOf(half), half);
    if (queues.size === 0) this.#forget(half);
  }

  #atOnce(queue: Waiting, half: Half): Half | undefined {
    return nearest(queue, half, (other) => opensApart(other, half) <= this.#options.atOnceMs);
  }

  #waitingWith(half: Half): Ports | undefined {
    const [low, high] = addressesOf(half);
    return this.#networks.get(half.network)?.get(low)?.get(high);
  }

  #queuesOf(half: Half): Ports {
    const [low, high] = addressesOf(half);
    const peers = madeWhereMissing(madeWhereMissing(this.#networks, half.network), low);
    if (!peers.has(high)) this.#pairs++;
    return madeWhereMissing(peers, high);
  }

  /** Nobody waits between these two addresses. */
  #forget(half: Half): void {
    const [low, high] = addressesOf(half);
    const peers = this.#networks.get(half.network)?.get(low);
    if (peers?.delete(high) !== true) return;
    this.#pairs--;
    if (peers.size === 0) this.#networks.get(half.network)?.delete(low);
  }

  #drop(queues: Map<number, Waiting>, ports: number, half: Half): void {
    const queue = queues.get(ports);
    if (queue === half) queues.delete(ports);
    else if (!Array.isArray(queue) || !queue.includes(half)) return;
    else if (queue.length === 1) queues.delete(ports);
    else
      queues.set(
        ports,
        queue.filter((other) => other !== half),
      );
    this.#waiting--;
  }
}

/** Of those that fit and are `isNear`, the one that began nearest in time. */
function nearest(queue: Waiting, half: Half, isNear: (other: Half) => boolean): Half | undefined {
  let best: Half | undefined;
  for (const other of Array.isArray(queue) ? queue : [queue]) {
    if (other.node === half.node || other.ownIp === half.ownIp) continue;
    if (!orientationsFit(other, half) || !isNear(other)) continue;
    if (best === undefined || opensApart(other, half) < opensApart(best, half)) best = other;
  }
  return best;
}

function madeWhereMissing<K, A, B>(maps: Map<K, Map<A, B>>, key: K): Map<A, B> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}

function listOf(queue: Waiting, half: Half): Half[] {
  return Array.isArray(queue) ? [...queue, half] : [queue, half];
}

function opensApart(a: Half, b: Half): number {
  return Math.abs(a.serverMs - b.serverMs);
}

/** A picked-up half was open for an unknown time: only that both lived at once can be asked. */
function livesApart(a: Half, b: Half): number {
  if (!a.pickup && !b.pickup) return opensApart(a, b);
  return Math.max(0, a.serverMs - endOf(b), b.serverMs - endOf(a));
}

function endOf(half: Half): number {
  return half.durationMs === undefined ? Infinity : half.serverMs + half.durationMs;
}

/** Both ends agree on who began, unless one guessed. */
function orientationsFit(a: Half, b: Half): boolean {
  if (a.pickup || b.pickup) return true;
  return (
    a.tuple.initiatorIp === b.tuple.initiatorIp && a.tuple.initiatorPort === b.tuple.initiatorPort
  );
}

/** Any order serves, as long as both ends get the same one. */
function isOrdered({ tuple }: Half): boolean {
  const { initiatorIp, responderIp } = tuple;
  if (initiatorIp !== responderIp) return initiatorIp < responderIp;
  return tuple.initiatorPort <= tuple.responderPort;
}

function addressesOf(half: Half): readonly [low: string, high: string] {
  const { initiatorIp, responderIp } = half.tuple;
  return isOrdered(half) ? [initiatorIp, responderIp] : [responderIp, initiatorIp];
}

/** Protocol, 8 bits, and both ports, 16 bits each: exact as a number. */
function portsOf(half: Half): number {
  const { protocol, initiatorPort, responderPort } = half.tuple;
  const [low, high] = isOrdered(half)
    ? [initiatorPort, responderPort]
    : [responderPort, initiatorPort];
  return (protocol * 0x1_0000 + low) * 0x1_0000 + high;
}
