/**
 * What a device is asked to sign: random, kept here, good once and for five minutes. Whoever asks for
 * more than their share loses their own oldest first.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../std/clock.ts";
import { CHALLENGE_MS_MAX } from "../limits.ts";

export interface ChallengesOptions {
  readonly clock: Clock;
  /** In all, some 300 bytes each. */
  readonly max: number;
  /** Of one who asks. */
  readonly perAskerMax: number;
}

interface Asked<T> {
  readonly asker: string;
  readonly value: T;
  readonly endsAtMs: number;
}

export class Challenges<T> {
  readonly #options: ChallengesOptions;
  /** Oldest first. */
  readonly #asked = new Map<string, Asked<T>>();
  readonly #ofAsker = new Map<string, Set<string>>();

  constructor(options: ChallengesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#asked.size;
  }

  /** Base64url of 32 bytes. */
  begin(asker: string, value: T): string {
    const { clock, max, perAskerMax } = this.#options;
    this.#forgetOld();
    const own = this.#ofAsker.get(asker) ?? new Set();
    const [oldestOwn] = own;
    if (own.size >= perAskerMax && oldestOwn !== undefined) this.#forget(oldestOwn);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= max && oldest !== undefined) this.#forget(oldest);
    const challenge = randomBytes(32).toString("base64url");
    this.#asked.set(challenge, { asker, value, endsAtMs: clock.nowMs() + CHALLENGE_MS_MAX });
    this.#ofAsker.set(asker, (this.#ofAsker.get(asker) ?? new Set()).add(challenge));
    return challenge;
  }

  /** What it was for; after that it is good for nothing. */
  use(challenge: string): T | undefined {
    this.#forgetOld();
    const asked = this.#asked.get(challenge);
    this.#forget(challenge);
    return asked?.value;
  }

  #forgetOld(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [challenge, { endsAtMs }] of this.#asked) {
      if (endsAtMs > nowMs) return;
      this.#forget(challenge);
    }
  }

  #forget(challenge: string): void {
    const { asker = "" } = this.#asked.get(challenge) ?? {};
    const own = this.#ofAsker.get(asker);
    this.#asked.delete(challenge);
    own?.delete(challenge);
    if (own?.size === 0) this.#ofAsker.delete(asker);
  }
}
