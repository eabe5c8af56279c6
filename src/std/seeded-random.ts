/**
 * Randomness that can be had again: a run that failed is repeated by its seed. For tests, load and
 * chaos runs; never for keys or nonces.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, a counter in it that
 * guarantees a period of at least 2^32, and nothing but 32-bit additions, shifts and exclusive ors,
 * so that any language gives the same numbers.
 */
export class SeededRandom {
  readonly #state: Uint32Array;

  /** `seed` is an unsigned 32-bit integer; near seeds give unrelated sequences. */
  constructor(seed: number) {
    this.#state = Uint32Array.of(0, seed, 0x9e3779b9, 1);
    for (let round = 0; round < 15; round++) this.uint32();
  }

  /** 0…2^32 − 1, both inclusive. */
  uint32(): number {
    const state = this.#state;
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const result = (a + b + counter) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    state[3] = counter + 1;
    return result;
  }

  /** 0 inclusive to 1 exclusive, in steps of 2^−53. */
  fraction(): number {
    const high = this.uint32() >>> 5;
    return (high * 0x400_0000 + (this.uint32() >>> 6)) / 0x20_0000_0000_0000;
  }

  /** An integer `min`…`max`, both inclusive; every safe range. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** An integer 0…`end` − 1. */
  below(end: number): number {
    return this.integer(0, end - 1);
  }

  /** True with this probability, by default one half. */
  chance(probability = 0.5): boolean {
    return this.fraction() < probability;
  }

  /** One of them. Throws for none. */
  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError("nothing to pick from");
    return values[this.integer(0, values.length - 1)] as T;
  }

  bytes(length: number): Buffer {
    const out = Buffer.alloc(length);
    for (let at = 0; at < length; at++) out[at] = this.uint32() & 0xff;
    return out;
  }

  /** The same values in an order of this generator's choice. */
  shuffled<T>(values: readonly T[]): T[] {
    const out = [...values];
    for (let at = out.length - 1; at > 0; at--) {
      const other = this.integer(0, at);
      [out[at], out[other]] = [out[other] as T, out[at] as T];
    }
    return out;
  }

  /** A generator of its own for one part of a run, so that more use here does not change what happens there. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }
}
