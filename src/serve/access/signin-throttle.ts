/**
 * Guessing costs time. Attempts count before they are checked, so that a thousand at once are no way
 * around; after a few, each one waits twice as long, by name and by address. What was typed as a name
 * is kept as a hash, and for an hour at most.
 */
import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { parseAddress } from "../../format/address.ts";
import type { Clock } from "../../std/clock.ts";
import { ServeError } from "../serve-error.ts";

interface Bound {
  /** Attempts that nobody waits for: people mistype. */
  readonly free: number;
  readonly waitMsMax: number;
}

/** A longer wait would let a stranger keep somebody out for longer. */
const BY_NAME: Bound = { free: 5, waitMsMax: 60_000 };
/** Many people may share one address. */
const BY_ADDRESS: Bound = { free: 20, waitMsMax: 15 * 60_000 };
const WAIT_MS_FIRST = 1_000;
/** Who was quiet for so long begins anew. */
const FORGET_MS = 3_600_000;
/** Names and addresses that are remembered, some 200 bytes each; of more, the oldest is forgotten. */
const REMEMBERED_MAX = 10_000;
/** Of an IPv6 address, what a provider gives to one customer at least: a /64. */
const NETWORK_BYTES = 8;

interface Tries {
  count: number;
  lastAtMs: number;
  /** No attempt before. */
  nextAtMs: number;
}

export interface Attempt {
  /** Absent for a link, which has no name before it is known. */
  readonly name?: string;
  readonly address: string;
}

export class SignInThrottle {
  readonly #clock: Clock;
  /** The one that was used last comes last. */
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt. Throws `signin_throttled`, and then it does not count. */
  begin(attempt: Attempt): void {
    const nowMs = this.#clock.monotonicMs();
    const keys = keysOf(attempt);
    const waits = keys.map(([key]) => (this.#known(key, nowMs)?.nextAtMs ?? 0) - nowMs);
    const waitMs = Math.max(...waits);
    if (waitMs > 0) {
      const retryAfterS = Math.ceil(waitMs / 1_000);
      throw new ServeError("signin_throttled", `try again in ${retryAfterS} s`, { retryAfterS });
    }
    for (const [key, bound] of keys) this.#count(key, bound, nowMs);
  }

  /** It was who they said: the name begins anew, and the address is as it was before. */
  succeeded(attempt: Attempt): void {
    for (const [key, bound] of keysOf(attempt)) {
      const tries = this.#tries.get(key);
      if (tries === undefined) continue;
      tries.nextAtMs = 0;
      tries.count = bound === BY_NAME ? 0 : tries.count - 1;
    }
  }

  get size(): number {
    return this.#tries.size;
  }

  #known(key: string, nowMs: number): Tries | undefined {
    const tries = this.#tries.get(key);
    return tries === undefined || nowMs - tries.lastAtMs >= FORGET_MS ? undefined : tries;
  }

  #count(key: string, { free, waitMsMax }: Bound, nowMs: number): void {
    const count = (this.#known(key, nowMs)?.count ?? 0) + 1;
    const waitMs = count < free ? 0 : Math.min(WAIT_MS_FIRST * 2 ** (count - free), waitMsMax);
    this.#tries.delete(key);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size >= REMEMBERED_MAX && oldest !== undefined) this.#tries.delete(oldest);
    this.#tries.set(key, { count, lastAtMs: nowMs, nextAtMs: nowMs + waitMs });
  }
}

function keysOf({ name, address }: Attempt): [key: string, bound: Bound][] {
  const keys: [string, Bound][] = [[`address ${networkOf(address)}`, BY_ADDRESS]];
  if (name !== undefined) {
    const hash = createHash("sha256").update(name.toLowerCase()).digest("base64url");
    keys.push([`name ${hash}`, BY_NAME]);
  }
  return keys;
}

/** Of a canonical address. Whoever has one IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  return Buffer.from(parseAddress(address).subarray(0, NETWORK_BYTES)).toString("hex");
}
