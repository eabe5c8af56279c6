/** Bounds what all requests together hold: their number and their bytes, from the first byte to the ack. */
import { type Refusal, refused } from "./errors.ts";
import type { IngestLimits } from "./limits.ts";

/** What one request holds. `release` gives everything back; harmless when repeated. */
export interface Pass {
  /** Once. False when there is no room for so many bytes, or this node has its share; then nothing is taken. */
  take(bytes: number, nodeId: string): boolean;
  release(): void;
}

export class Gate {
  readonly #limits: IngestLimits;
  #requests = 0;
  #bytes = 0;
  /** Bytes by node, of those that hold some. */
  readonly #nodes = new Map<string, number>();

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
    return new Holding(this);
  }

  /** For a pass only. */
  take(bytes: number, nodeId: string): boolean {
    const ofNode = (this.#nodes.get(nodeId) ?? 0) + bytes;
    if (ofNode > this.#limits.bytesInFlightPerNodeMax) return false;
    if (this.#bytes + bytes > this.#limits.bytesInFlightMax) return false;
    this.#bytes += bytes;
    this.#nodes.set(nodeId, ofNode);
    return true;
  }

  /** For a pass only. */
  leave(bytes: number, nodeId: string): void {
    this.#requests--;
    this.#bytes -= bytes;
    const ofNode = (this.#nodes.get(nodeId) ?? 0) - bytes;
    if (ofNode > 0) this.#nodes.set(nodeId, ofNode);
    else this.#nodes.delete(nodeId);
  }
}

class Holding implements Pass {
  readonly #gate: Gate;
  #bytes = 0;
  #nodeId = "";
  #open = true;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  take(bytes: number, nodeId: string): boolean {
    if (!this.#open || this.#bytes > 0 || !this.#gate.take(bytes, nodeId)) return false;
    this.#bytes = bytes;
    this.#nodeId = nodeId;
    return true;
  }

  release(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#gate.leave(this.#bytes, this.#nodeId);
  }
}

/** One second: what is in flight is acked within milliseconds, unless the disk is the bottleneck. */
export function busy(detail: string): Refusal {
  return refused("busy", detail, { retryAfterS: 1 });
}
