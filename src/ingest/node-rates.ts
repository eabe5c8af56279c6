/**
 * What one node may send: entries and bytes per second. Charged after the signature, so nobody can
 * use up another's share; the map grows with enrolled nodes only.
 */
import type { Clock } from "../std/clock.ts";
import { type Refusal, refused } from "./errors.ts";
import type { IngestLimits } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

interface Buckets {
  readonly entries: TokenBucket;
  readonly bytes: TokenBucket;
}

export class NodeRates {
  readonly #limits: IngestLimits;
  readonly #clock: Clock;
  readonly #nodes = new Map<string, Buckets>();

  constructor(limits: IngestLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Takes both amounts, or neither and says when to come back. */
  charge(nodeId: string, entries: number, bytes: number): Refusal | undefined {
    const nowMs = this.#clock.monotonicMs();
    const buckets = this.#bucketsOf(nodeId, nowMs);
    const waitMs = Math.max(
      buckets.entries.waitMs(entries, nowMs),
      buckets.bytes.waitMs(bytes, nowMs),
    );
    if (waitMs > 0) {
      return refused(
        "rate_limited",
        `the node may send ${this.#limits.entriesPerS} entries/s and ${this.#limits.bytesPerS} bytes/s`,
        { retryAfterS: Math.ceil(waitMs / 1000) },
      );
    }
    buckets.entries.take(entries);
    buckets.bytes.take(bytes);
    return undefined;
  }

  #bucketsOf(nodeId: string, nowMs: number): Buckets {
    let buckets = this.#nodes.get(nodeId);
    if (buckets === undefined) {
      const { entriesPerS, entriesBurst, bytesPerS, bytesBurst } = this.#limits;
      buckets = {
        entries: new TokenBucket(entriesPerS, entriesBurst, nowMs),
        bytes: new TokenBucket(bytesPerS, bytesBurst, nowMs),
      };
      this.#nodes.set(nodeId, buckets);
    }
    return buckets;
  }
}
