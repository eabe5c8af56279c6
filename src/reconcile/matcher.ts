/**
 * Which two halves belong together. The seam behind which matching may become cleverer: callers
 * add a half and get its partner or nothing, and every half is paired at most once.
 *
 * This matcher pairs by tuple and order: per unordered tuple and network, the halves of one end wait
 * in a queue for those of the other end, and the nearest in time that is near enough is taken.
 */
import type { Half } from "./half.ts";

export interface Matcher {
  /** The waiting half that fits, which waits no longer; or undefined, and `half` waits. */
  add(half: Half): Half | undefined;
  /** A waiting half will not be asked for again. Harmless for one that does not wait. */
  remove(half: Half): void;
  readonly waiting: number;
}

export interface MatcherOptions {
  /** How far apart two opens of one connection may be, clocks included. */
  readonly nearMs: number;
}

export class TupleMatcher implements Matcher {
  readonly #nearMs: number;
  readonly #queues = new Map<string, Half[]>();
  #waiting = 0;

  constructor(options: MatcherOptions) {
    this.#nearMs = options.nearMs;
  }

  get waiting(): number {
    return this.#waiting;
  }

  add(half: Half): Half | undefined {
    const key = keyOf(half);
    const queue = this.#queues.get(key);
    const partner = queue === undefined ? undefined : this.#nearest(queue, half);
    if (partner !== undefined) {
      this.#drop(key, partner);
      return partner;
    }
    if (queue === undefined) this.#queues.set(key, [half]);
    else queue.push(half);
    this.#waiting++;
    return undefined;
  }

  remove(half: Half): void {
    this.#drop(keyOf(half), half);
  }

  #nearest(queue: readonly Half[], half: Half): Half | undefined {
    let best: Half | undefined;
    let bestMs = this.#nearMs;
    for (const other of queue) {
      if (other.node === half.node || other.ownIp === half.ownIp) continue;
      if (!orientationsFit(other, half)) continue;
      const apartMs = apart(other, half);
      if (apartMs < bestMs || (best === undefined && apartMs <= bestMs)) {
        best = other;
        bestMs = apartMs;
      }
    }
    return best;
  }

  #drop(key: string, half: Half): void {
    const queue = this.#queues.get(key);
    const at = queue?.indexOf(half) ?? -1;
    if (queue === undefined || at === -1) return;
    queue.splice(at, 1);
    this.#waiting--;
    if (queue.length === 0) this.#queues.delete(key);
  }
}

/** A picked-up half was open for an unknown time: only that both lived at once can be asked. */
function apart(a: Half, b: Half): number {
  if (!a.pickup && !b.pickup) return Math.abs(a.serverMs - b.serverMs);
  const [older, picked] = a.pickup ? [b, a] : [a, b];
  if (older.pickup) return 0;
  if (!older.closed) return 0;
  return Math.max(0, picked.serverMs - older.serverMs - (older.durationMs ?? 0));
}

/** Both ends agree on who began, unless one guessed. */
function orientationsFit(a: Half, b: Half): boolean {
  if (a.pickup || b.pickup) return true;
  return (
    a.tuple.initiatorIp === b.tuple.initiatorIp && a.tuple.initiatorPort === b.tuple.initiatorPort
  );
}

/** Any order serves, as long as both ends get the same one. */
function keyOf(half: Half): string {
  const { protocol, initiatorIp, initiatorPort, responderIp, responderPort } = half.tuple;
  const ordered =
    initiatorIp < responderIp || (initiatorIp === responderIp && initiatorPort <= responderPort);
  return ordered
    ? `${half.network} ${protocol} ${initiatorIp} ${initiatorPort} ${responderIp} ${responderPort}`
    : `${half.network} ${protocol} ${responderIp} ${responderPort} ${initiatorIp} ${initiatorPort}`;
}
