/**
 * The generator of src/std/seeded-random.ts (sfc32) with its state in fields: a mesh of ten million
 * connections throws it some three hundred million times.
 */
export class Dice {
  #a = 0;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #counter = 1;

  constructor(seed: number) {
    this.#b = seed | 0;
    for (let round = 0; round < 15; round++) this.uint32();
  }

  /** 0…2^32 − 1, both inclusive. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** 0 inclusive to 1 exclusive. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer 0…`end` − 1. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** A number `min` inclusive to `max` exclusive. */
  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Mean 1; the time to the next of many independent events. */
  exponential(): number {
    return -Math.log(1 - this.fraction());
  }

  /** Mean 0, deviation 1: the sum of four uniform numbers is near enough, and bounded. */
  normal(): number {
    const sum = this.fraction() + this.fraction() + this.fraction() + this.fraction();
    return (sum - 2) * Math.sqrt(3);
  }

  /** How many of `count` independent trials succeed. */
  successes(count: number, probability: number): number {
    if (probability === 0 || count === 0) return 0;
    const mean = count * probability;
    if (count > 400 && mean > 20) {
      const deviation = Math.sqrt(mean * (1 - probability));
      return Math.max(0, Math.round(mean + deviation * this.normal()));
    }
    // Jumps from one success to the next: as many throws as there are successes.
    const step = Math.log(1 - probability);
    let successes = 0;
    for (let at = 0; ; successes++) {
      at += Math.floor(Math.log(1 - this.fraction()) / step) + 1;
      if (at > count) return successes;
    }
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** A generator of its own for one part of a run, so that more use here does not change what happens there. */
  fork(): Dice {
    return new Dice(this.uint32());
  }
}
