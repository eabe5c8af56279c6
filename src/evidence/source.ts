/** What an export needs of a server, as plain functions: evidence knows neither store nor journal. */
import type { BatchHeader } from "../format/batch.ts";

/** One record of the journal. */
export interface SourceRecord {
  readonly index: number;
  readonly receivedMs: number;
  /** `evidence`: refused, and kept all the same. */
  readonly type: "batch" | "evidence";
  readonly frame: Uint8Array;
}

/** An accepted batch, as far as it is known without reading it. */
export interface SourceBatch {
  readonly index: number;
  readonly epoch: number;
  readonly batchNo: number;
  readonly closedMs: number;
  readonly completeToMs: number;
  readonly payloadBytes: number;
  readonly rawBytes: number;
}

/** Batches of one node by their place in the journal, bounds inclusive, in that order. */
export interface BatchQuery {
  readonly nodeId: string;
  readonly fromIndex?: number;
  readonly toIndex?: number;
  /** Closed then or later, by the node's clock. */
  readonly closedFromMs?: number;
  /** The last ones instead of the first. */
  readonly fromEnd?: boolean;
  readonly limitCount: number;
}

/** Entries of one kind in a node's stream, by time. */
export interface StatementQuery {
  readonly nodeId: string;
  readonly kind: "enrolled" | "revoked" | "addresses" | "opt_out";
  /** Both inclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly limitCount: number;
}

/** Where to look for a finding's own entry. */
export interface FindingPlace {
  /** Journal index of the last batch that changed the finding: its own entry, or somebody's decision about it. */
  readonly index: number;
  /** The time of its own entry. */
  readonly concludedMs: number;
  /** Journal index of the batch with the ruling that holds; 0 without one. */
  readonly ruledIndex: number;
}

export interface EvidenceSource {
  /** 32 bytes. */
  readonly serverKey: Uint8Array;
  /** Hex. */
  readonly serverId: string;
  /** Undefined when there is no such finding. */
  findingPlace(id: string): Promise<FindingPlace | undefined>;
  /** Journal indexes of batches with what people decided about a finding since a time, the newest first. */
  rulings(id: string, sinceMs: number, limitCount: number): Promise<readonly number[]>;
  /** The first open finding of these kinds about a connection of both nodes, and the index of its batch. */
  contradiction(
    kinds: readonly string[],
    one: string,
    other: string,
  ): Promise<{ readonly id: string; readonly index: number } | undefined>;
  /** Undefined where the journal does not hold it. */
  record(index: number): Promise<SourceRecord | undefined>;
  batches(query: BatchQuery): Promise<readonly SourceBatch[]>;
  /** Journal indexes of batches that hold such entries, the newest first. */
  statements(query: StatementQuery): Promise<readonly number[]>;
  /** The first record that was received then or later; the journal's end when there is none. */
  firstIndexSince(receivedMs: number): Promise<number>;
  /** When the node joined, and when its key was revoked: by the server's clock; undefined for a stranger. */
  membership(
    nodeId: string,
  ): { readonly enrolledMs: number; readonly revokedMs?: number } | undefined;
  /** The receipt that the node got, made again: signatures are deterministic. */
  receipt(header: BatchHeader, record: SourceRecord): Buffer;
}
