/**
 * The comparison as the lab sees it: records go in, findings and verdicts come out. The one file
 * that knows the comparison's API.
 */
import { decodeFrame } from "../../src/format/batch.ts";
import { EntryBlock } from "../../src/format/entry-block.ts";
import type { JournalRecord } from "../../src/ingest/journal-port.ts";
import { decodeInto } from "../../src/reconcile/derive/decode.ts";
import type { FindingDraft } from "../../src/reconcile/finding/findings.ts";
import { Half } from "../../src/reconcile/half/half-records.ts";
import { excuseOf, hasMark, MARK, verdictOf } from "../../src/reconcile/half/half-state.ts";
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
  readonly #block = new EntryBlock();
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

  /** The journal's records in their order. */
  take(record: JournalRecord): void {
    if (record.type !== "batch") return;
    const batch = decodeFrame(record.frame);
    const { header } = batch;
    const nodeId = Buffer.from(header.nodeId).toString("hex");
    const { index, receivedMs } = record;
    this.#entries += header.entryCount;
    const others = decodeInto(this.#block, batch, this.#reconcile.addresses);
    this.#reconcile.take({ index, receivedMs, nodeId, header }, this.#block, others);
    // What is concluded is concluded at the server's ticks.
    if (nodeId === this.#options.serverId) this.#handOut(receivedMs);
  }

  /** Connections by verdict, those that something may still change included. */
  verdicts(): ReadonlyMap<string, number> {
    const counts = new Map(this.#settled);
    const { records } = this.#reconcile;
    const half = new Half(records, this.#reconcile.names, 0);
    for (half.slot = 0; half.slot < records.end; half.slot++) {
      const isKey = hasMark(half, MARK.live) && !hasMark(half, MARK.second);
      if (isKey && !hasMark(half, MARK.settled)) add(counts, half);
    }
    return counts;
  }

  #handOut(atMs: number): void {
    this.#reconcile.drainChanged(({ key }) => {
      if (hasMark(key, MARK.settled)) add(this.#settled, key);
    });
    for (const finding of this.#reconcile.drainFindings()) {
      this.#options.onFinding(finding, atMs);
    }
  }
}

function add(counts: Map<string, number>, key: Half): void {
  const excuse = excuseOf(key);
  const name = excuse === "" ? verdictOf(key) : `${verdictOf(key)}: ${excuse}`;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
