/** Keeps what proves a fork, a bounded number of frames per node and day. */
import type { ChainWriter } from "./chain-writer.ts";
import { DAY_MS, type IngestLimits } from "./limits.ts";

export class EvidenceLocker {
  readonly #writer: Pick<ChainWriter, "keepEvidence">;
  readonly #perNodeDayMax: number;
  /** Frames kept per node; emptied each day. */
  readonly #kept = new Map<string, number>();
  #day = 0;

  constructor(writer: Pick<ChainWriter, "keepEvidence">, limits: IngestLimits) {
    this.#writer = writer;
    this.#perNodeDayMax = limits.evidencePerNodeDayMax;
  }

  /** Resolves with the journal index when durable; undefined when the node's share is used up. */
  async keep(nodeId: string, frame: Uint8Array, nowMs: number): Promise<number | undefined> {
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#kept.clear();
    }
    const kept = this.#kept.get(nodeId) ?? 0;
    if (kept >= this.#perNodeDayMax) return undefined;
    this.#kept.set(nodeId, kept + 1);
    return this.#writer.keepEvidence(frame, nowMs);
  }
}
