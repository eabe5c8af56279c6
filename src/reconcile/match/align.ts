/**
 * Which instances of one tuple at one end belong to which at the other. A tuple is used again and
 * again, but at either end one instance after the other: so pairs never cross, and the cheapest
 * pairing that does not cross is found as two texts are compared (Needleman and Wunsch).
 *
 * Bytes and durations are no part of the cost: a matcher that prefers equal counters would hide the
 * very alterations that the comparison is there to find.
 */

interface Alignment {
  /** Instances at one end and at the other, both in the order of time. */
  readonly left: number;
  readonly right: number;
  /** Of pairing instance `l` with instance `r`; Infinity where they cannot be one connection. */
  readonly cost: (l: number, r: number) => number;
  /** Of leaving one instance alone. */
  readonly skipLeft: (l: number) => number;
  readonly skipRight: (r: number) => number;
}

/** The pairs, and what they cost together with what is left alone. */
export interface Aligned {
  readonly pairs: [left: number, right: number][];
  readonly total: number;
}

/**
 * Beyond this many instances at one end, those further apart in order than this are not compared; and no
 * more than these are kept, so that time and memory grow with the instances, not with their square.
 */
const BAND = 64;

/** The cheapest pairs, in order. */
export function align(what: Alignment): Aligned {
  const { left, right, skipLeft, skipRight, cost } = what;
  const band = new Band(left, right);
  for (let l = 0; l <= left; l++) {
    const [least, most] = [band.least(l), band.most(l)];
    for (let r = least; r <= most; r++) {
      const best = Math.min(
        l === 0 ? Infinity : band.at(l - 1, r) + skipLeft(l - 1),
        r === 0 ? Infinity : band.at(l, r - 1) + skipRight(r - 1),
        l === 0 || r === 0 ? Infinity : band.at(l - 1, r - 1) + cost(l - 1, r - 1),
      );
      band.set(l, r, l + r === 0 ? 0 : best);
    }
  }
  return { pairs: trace(what, band), total: band.at(left, right) };
}

/** Back from the end. Where pairing and leaving cost the same, they pair. */
function trace(
  { left, right, cost, skipLeft }: Alignment,
  band: Band,
): [left: number, right: number][] {
  const pairs: [number, number][] = [];
  let [l, r] = [left, right];
  while (l > 0 && r > 0) {
    const total = band.at(l, r);
    if (total === band.at(l - 1, r - 1) + cost(l - 1, r - 1) && total !== Infinity) {
      pairs.push([--l, --r]);
    } else if (total === band.at(l - 1, r) + skipLeft(l - 1)) l--;
    else r--;
  }
  return pairs.toReversed();
}

/**
 * What the first `l` at one end and the first `r` at the other cost together, where the two are not too far
 * apart in order: where one end has more, by as many as it has more, and the band on either side.
 */
class Band {
  readonly #costs: Float64Array;
  readonly #width: number;
  readonly #below: number;
  readonly #above: number;
  readonly #right: number;

  constructor(left: number, right: number) {
    this.#below = Math.min(left, BAND + Math.max(0, left - right));
    this.#above = Math.min(right, BAND + Math.max(0, right - left));
    this.#right = right;
    this.#width = this.#below + this.#above + 1;
    this.#costs = new Float64Array((left + 1) * this.#width);
  }

  /** The least and the most of the other end that stand with the first `l`, both inclusive. */
  least(l: number): number {
    return Math.max(0, l - this.#below);
  }

  most(l: number): number {
    return Math.min(this.#right, l + this.#above);
  }

  at(l: number, r: number): number {
    if (r < l - this.#below || r > l + this.#above) return Infinity;
    return this.#costs[l * this.#width + r - l + this.#below] ?? Infinity;
  }

  set(l: number, r: number, cost: number): void {
    this.#costs[l * this.#width + r - l + this.#below] = cost;
  }
}
