/**
 * Folds incidents by kind, node and hour, so that a flood cannot fill the journal: the first one is
 * written at once as a finding; if more follow, the same finding is written once more, with the
 * count, when its hour is over or the server stops.
 *
 * A finding that cannot be written now (the own stream is full) is tried again at the next sweep.
 */
import { decodeHeader, encodeHeader } from "../format/batch.ts";
import type { FindingEntry } from "../format/entry.ts";
import type { Clock, Timer } from "../std/clock.ts";
import { findingOf, type Fold, hourOf, type Incident } from "./incident.ts";
import { INGEST_LIMITS, type IngestLimits, SAMPLES_MAX } from "./limits.ts";
import { RevokedTries } from "./revoked-tries.ts";

/** How often folds whose hour is over are written. */
const SWEEP_EVERY_MS = 10_000;

export interface IncidentsOptions {
  /** Writes the finding durably; may reject, then it is tried again. */
  readonly write: (finding: FindingEntry) => Promise<unknown>;
  readonly clock: Clock;
  readonly limits?: IngestLimits;
}

/** A fold and what the journal has of it. */
interface Tracked {
  readonly fold: Fold;
  /** The count in the newest finding that is durable. */
  written: number;
  /** Resolves, never rejects, when the finding that is being written is durable or refused. */
  writing: Promise<void> | undefined;
}

export class Incidents {
  readonly #options: IncidentsOptions;
  readonly #limits: IngestLimits;
  readonly #tracked = new Map<string, Tracked>();
  readonly #counts = new Map<string, number>();
  readonly #revokedTries: RevokedTries;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: IncidentsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? INGEST_LIMITS;
    this.#revokedTries = new RevokedTries(this.#limits);
    this.#schedule();
  }

  /** All incidents so far by kind: for the metrics. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Never throws, never waits. */
  readonly report = (incident: Incident): void => {
    this.#counts.set(incident.kind, (this.#counts.get(incident.kind) ?? 0) + 1);
    const { kind, nodeId, atMs } = incident;
    if (kind === "revoked_key_used" && !this.#revokedTries.isTooMany(nodeId, atMs)) return;
    const tracked = this.#trackedFor(incident);
    const { fold } = tracked;
    fold.count++;
    fold.lastAtMs = incident.atMs;
    if (fold.samples.length < SAMPLES_MAX) fold.samples.push(detached(incident));
    if (tracked.written === 0) this.#write(tracked);
  };

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    for (const tracked of this.#tracked.values()) await tracked.writing;
    for (const tracked of this.#tracked.values()) this.#write(tracked);
    for (const tracked of this.#tracked.values()) await tracked.writing;
  }

  #trackedFor(incident: Incident): Tracked {
    const hour = hourOf(incident.atMs);
    // Who claims to be an unknown node can claim any id: those are counted together.
    const about = incident.kind === "unknown_node" ? "" : incident.nodeId;
    const own = `${hour} ${incident.kind} ${about}`;
    const full = this.#tracked.size >= this.#limits.incidentsMax && !this.#tracked.has(own);
    const key = full ? `${hour} ${incident.kind} ` : own;
    let tracked = this.#tracked.get(key);
    if (tracked === undefined) {
      const nodeId = full ? "" : about;
      const fold = { kind: incident.kind, nodeId, hour, count: 0, lastAtMs: 0, samples: [] };
      tracked = { fold, written: 0, writing: undefined };
      this.#tracked.set(key, tracked);
    }
    return tracked;
  }

  /** A few batches of an unknown node are a machine that was removed and does not know it. */
  #isFinding(fold: Fold): boolean {
    return fold.kind !== "unknown_node" || fold.count >= this.#limits.unknownNodesFinding;
  }

  /** Does nothing while the finding is being written, or when the journal has this count. */
  #write(tracked: Tracked): void {
    const { fold } = tracked;
    if (tracked.writing !== undefined || tracked.written === fold.count) return;
    if (!this.#isFinding(fold)) return;
    const { count } = fold;
    const finding = findingOf(fold, this.#options.clock.nowMs());
    tracked.writing = this.#writeNow(tracked, finding, count);
  }

  async #writeNow(tracked: Tracked, finding: FindingEntry, count: number): Promise<void> {
    try {
      await this.#options.write(finding);
      tracked.written = count;
    } catch {
      // Tried again at the next sweep.
    } finally {
      tracked.writing = undefined;
    }
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(SWEEP_EVERY_MS, () => {
      this.#sweep();
      if (!this.#closed) this.#schedule();
    });
  }

  #sweep(): void {
    const hour = hourOf(this.#options.clock.nowMs());
    for (const [key, tracked] of this.#tracked) {
      const { fold } = tracked;
      const past = fold.hour < hour;
      if (past || tracked.written === 0) this.#write(tracked);
      const settled = tracked.written === fold.count || !this.#isFinding(fold);
      if (past && settled && tracked.writing === undefined) this.#tracked.delete(key);
    }
  }
}

/** The header's byte fields are views into the whole frame: copied, so that a sample does not hold it. */
function detached(incident: Incident): Incident {
  return { ...incident, header: decodeHeader(encodeHeader(incident.header)) };
}
