/**
 * The comparison as the lab sees it: records go in, findings and verdicts come out. The one file
 * that knows the comparison's API.
 */
import { decodeFrame } from "../../src/format/batch.ts";
import { decompressPayload, forEachEntry } from "../../src/format/payload.ts";
import type { JournalRecord } from "../../src/ingest/journal-port.ts";
import type { Connection } from "../../src/reconcile/connection.ts";
import type { FindingDraft } from "../../src/reconcile/findings.ts";
import { Reconcile } from "../../src/reconcile/reconcile.ts";

export interface ComparerOptions {
  /** Hex id of the server's own stream. */
  readonly serverId: string;
  /** Called once for each change of a finding, with the journal time at which it was concluded. */
  readonly onFinding: (finding: FindingDraft, atMs: number) => void;
}

export class Comparer {
  readonly #options: ComparerOptions;
  readonly #reconcile: Reconcile;
  /** Connections that will not change any more, by verdict. */
  readonly #settled = new Map<string, number>();
  #entries = 0;

  constructor(options: ComparerOptions) {
    this.#options = options;
    this.#reconcile = new Reconcile({ serverId: options.serverId });
  }

  /** Connection entries and others so far. */
  get entries(): number {
    return this.#entries;
  }

  /** The journal's records in their order. What they lead to is decided at each of the server's own. */
  take(record: JournalRecord): void {
    if (record.type !== "batch") return;
    const { header, payload } = decodeFrame(record.frame);
    const nodeId = Buffer.from(header.nodeId).toString("hex");
    const { index, receivedMs } = record;
    this.#reconcile.begin({ index, receivedMs, nodeId, header });
    this.#entries += header.entryCount;
    if (header.entryCount > 0) {
      const raw = decompressPayload(payload, header.rawBytes);
      forEachEntry(raw, header, (entry, seq) => this.#reconcile.entry(entry, seq));
    }
    if (nodeId === this.#options.serverId) this.#decide(receivedMs);
  }

  /** Connections by verdict, those that something may still change included. */
  verdicts(): ReadonlyMap<string, number> {
    const counts = new Map(this.#settled);
    const living = new Set<Connection>();
    for (const stream of this.#reconcile.streams.values()) {
      for (const connection of stream.live.values()) living.add(connection);
    }
    for (const connection of living) add(counts, connection);
    return counts;
  }

  #decide(atMs: number): void {
    this.#reconcile.review();
    this.#reconcile.drainChanged((connection) => {
      if (connection.settled) add(this.#settled, connection);
    });
    for (const finding of this.#reconcile.drainFindings()) {
      this.#options.onFinding(finding, atMs);
    }
  }
}

function add(counts: Map<string, number>, { verdict, excuse }: Connection): void {
  const name = excuse === "" ? verdict : `${verdict}: ${excuse}`;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
