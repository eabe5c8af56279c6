/**
 * Which instances of one tuple at one end belong to which at the other. A tuple is used again and
 * again, but at either end one instance after the other: so pairs never cross, and the cheapest
 * pairing that does not cross is found as two texts are compared (Needleman and Wunsch).
 *
 * Bytes and durations are no part of the cost: a matcher that prefers equal counters would hide the
 * very alterations that the comparison is there to find.
 */

export interface Alignment {
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

/** Beyond this many instances at one end, those further apart in order than this are not compared. */
const BAND = 64;

/** The cheapest pairs, in order. */
export function align(what: Alignment): Aligned {
  const { left, right, skipLeft, skipRight, cost } = what;
  const width = right + 1;
  const best = new Float64Array((left + 1) * width);
  const at = (l: number, r: number): number => best[l * width + r] ?? Infinity;
  for (let l = 1; l <= left; l++) best[l * width] = at(l - 1, 0) + skipLeft(l - 1);
  for (let r = 1; r <= right; r++) best[r] = at(0, r - 1) + skipRight(r - 1);
  const isFar = (l: number, r: number): boolean => Math.abs(l - r) > BAND + Math.abs(left - right);
  for (let l = 1; l <= left; l++) {
    for (let r = 1; r <= right; r++) {
      const alone = Math.min(at(l - 1, r) + skipLeft(l - 1), at(l, r - 1) + skipRight(r - 1));
      const paired = isFar(l, r) ? Infinity : at(l - 1, r - 1) + cost(l - 1, r - 1);
      best[l * width + r] = Math.min(alone, paired);
    }
  }
  return { pairs: trace(what, at, isFar), total: at(left, right) };
}

/** Back from the end. Where pairing and leaving cost the same, they pair. */
function trace(
  { left, right, cost, skipLeft }: Alignment,
  at: (l: number, r: number) => number,
  isFar: (l: number, r: number) => boolean,
): [number, number][] {
  const pairs: [number, number][] = [];
  let [l, r] = [left, right];
  while (l > 0 && r > 0) {
    const total = at(l, r);
    if (!isFar(l, r) && total === at(l - 1, r - 1) + cost(l - 1, r - 1) && total !== Infinity) {
      pairs.push([--l, --r]);
    } else if (total === at(l - 1, r) + skipLeft(l - 1)) l--;
    else r--;
  }
  return pairs.toReversed();
}
