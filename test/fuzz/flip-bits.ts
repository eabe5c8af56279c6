import type { SeededRandom } from "../../src/std/seeded-random.ts";

/** One to four bits flipped, in a copy, from `from` on. */
export function flipBits(
  random: SeededRandom,
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
): Buffer {
  const flipped = Buffer.from(bytes);
  const flips = to > from ? 1 + random.below(4) : 0;
  for (let done = 0; done < flips; done++) {
    const at = from + random.below(to - from);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
  }
  return flipped;
}
