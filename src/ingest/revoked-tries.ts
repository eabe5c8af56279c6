/**
 * When the use of a revoked key is worth a finding. A node learns that it was revoked by the refusal
 * of its next batch, an agent that is started again asks once more, and all of them ask once an hour:
 * that is no attack. Somebody who goes on more often has not understood, or does not care.
 *
 * Kept in memory alone: a restart of the server begins anew, and so the finding comes a little later.
 */
import type { IngestLimits } from "./limits.ts";

/** Tries further apart begin anew: less than the hour between an honest agent's questions. */
const PAUSE_MS = 30 * 60_000;

interface Tries {
  readonly firstAtMs: number;
  lastAtMs: number;
  count: number;
}

/** Nodes have been enrolled before they are revoked, so there are no more of them than nodes. */
export class RevokedTries {
  readonly #limits: Pick<IngestLimits, "revokedTriesMax" | "revokedGraceMs">;
  readonly #byNode = new Map<string, Tries>();

  constructor(limits: Pick<IngestLimits, "revokedTriesMax" | "revokedGraceMs">) {
    this.#limits = limits;
  }

  /** Counts this try. True when there were more, over a longer time, than an honest node makes. */
  isTooMany(nodeId: string, atMs: number): boolean {
    const before = this.#byNode.get(nodeId);
    const goesOn = before !== undefined && atMs - before.lastAtMs < PAUSE_MS;
    const tries = goesOn ? before : { firstAtMs: atMs, lastAtMs: atMs, count: 0 };
    tries.lastAtMs = atMs;
    tries.count++;
    this.#byNode.set(nodeId, tries);
    const { revokedTriesMax, revokedGraceMs } = this.#limits;
    return tries.count > revokedTriesMax && atMs - tries.firstAtMs > revokedGraceMs;
  }
}
