/** Bounds what all requests together hold: their number and their bytes, from the first byte to the ack. */
import { type Refusal, refused } from "./errors.ts";
import type { IngestLimits } from "./limits.ts";

/** What one request holds. `release` gives everything back; harmless when repeated. */
export interface Pass {
  /** False when there is no room for so many more bytes; then nothing is taken. */
  take(bytes: number): boolean;
  release(): void;
}

export class Gate {
  readonly #limits: IngestLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: IngestLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  enter(): Pass | Refusal {
    if (this.#requests >= this.#limits.requestsMax) {
      return busy(`${this.#requests} requests are being served`);
    }
    this.#requests++;
    let held = 0;
    let open = true;
    return {
      take: (bytes) => {
        if (!open || this.#bytes + bytes > this.#limits.bytesInFlightMax) return false;
        held += bytes;
        this.#bytes += bytes;
        return true;
      },
      release: () => {
        if (!open) return;
        open = false;
        this.#requests--;
        this.#bytes -= held;
      },
    };
  }
}

/** One second: what is in flight is acked within milliseconds, unless the disk is the bottleneck. */
export function busy(detail: string): Refusal {
  return refused("busy", detail, { retryAfterS: 1 });
}
