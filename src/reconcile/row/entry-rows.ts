/** Rows for everything that is not a connection: batches, log lines, findings, nodes. */
import type { AuditEntry, Entry } from "../../format/entry.ts";
import { chainHash, type Batch } from "../../format/batch.ts";
import { dayOf, logPartitionOf, type RowBlocks } from "../../store/row-blocks.ts";
import type { OwnPlace, Standing } from "../../format/finding-state.ts";
import type { NodeStream } from "../node/node-stream.ts";

export interface BatchPlace {
  readonly index: number;
  readonly receivedMs: number;
  readonly stream: NodeStream;
}

export function writeBatch(blocks: RowBlocks, batch: Batch, place: BatchPlace): void {
  const { header } = batch;
  const to = blocks.row("batch_rows", dayOf(place.receivedMs).slice(0, 6));
  to.journal_index.push(place.index);
  to.received.push(place.receivedMs);
  to.node.push(place.stream.name);
  to.node_id.push(header.nodeId);
  to.epoch.push(header.epoch);
  to.batch_no.push(header.batchNo);
  to.flags.push(header.flags);
  to.seq_first.push(header.seqFirst);
  to.entry_count.push(header.entryCount);
  to.closed.push(header.closedAtMs);
  to.complete_to.push(header.completeToMs);
  to.payload_bytes.push(header.payloadBytes);
  to.raw_bytes.push(header.rawBytes);
  to.chain_hash.push(chainHash(batch.headerBytes));
}

/** OpenTelemetry's number for an entry that is no log record: information, or warning where something was lost. */
const SEVERITY_OF: Partial<Record<Entry["kind"], number>> = {
  gap: 13,
  degraded: 13,
  rollback: 13,
  opt_out: 13,
};
const INFO = 9;

/** An entry other than a connection's, a tick or a finding, as a line that people can search. */
export function writeLog(blocks: RowBlocks, entry: Entry, seq: number, place: BatchPlace): void {
  const { kind, atMs, ...rest } = entry;
  const log = entry.kind === "log";
  const to = blocks.row("log_rows", logPartitionOf(kind, atMs));
  to.time.push(atMs);
  to.node.push(place.stream.name);
  to.node_id.push(Buffer.from(place.stream.id, "hex"));
  to.epoch.push(place.stream.memory.epoch);
  to.seq.push(seq);
  to.kind.push(kind);
  to.severity_number.push(log ? entry.severity : (SEVERITY_OF[kind] ?? INFO));
  to.body.push(log ? entry.body : bodyOf(entry));
  to.attributes.push(JSON.stringify(log ? entry.attributes : rest));
  to.journal_index.push(place.index);
}

/** What somebody did, as one row; lists and maps as JSON. */
export function writeAudit(blocks: RowBlocks, entry: AuditEntry, place: OwnPlace): void {
  const { actor, target } = entry;
  const to = blocks.row("audit_rows", dayOf(entry.atMs));
  to.time.push(entry.atMs);
  to.id.push(Buffer.from(entry.id, "hex"));
  to.operation.push(Buffer.from(entry.group, "hex"));
  to.actor_type.push(actor.type);
  to.actor_id.push(actor.id);
  to.actor.push(actor.name);
  to.address.push(entry.address);
  to.origin.push(entry.origin);
  to.action.push(entry.action);
  to.is_read.push(Number(entry.read));
  to.target_type.push(target.type);
  to.target_id.push(target.id);
  to.target.push(target.name);
  to.changes.push(JSON.stringify(entry.changes));
  to.outcome.push(entry.outcome);
  to.code.push(entry.code);
  to.facts.push(JSON.stringify(entry.facts));
  to.journal_index.push(place.index);
  to.seq.push(place.seq);
}

function bodyOf(entry: Entry): string {
  switch (entry.kind) {
    case "gap":
      return `gap: ${entry.cause}, ${entry.count ?? "an unknown number of"} entries lost`;
    case "enrolled":
      return entry.name;
    case "revoked":
      return entry.node;
    case "ruling":
      return `${entry.ruling} ${entry.finding}: ${entry.reason}`;
    case "stop":
      return `stop: ${entry.reason}`;
    case "degraded":
      return `kernel events read: ${entry.events}; ${entry.reason}`;
    case "totals":
      return `carried by ${entry.interfaces.map(({ name }) => name).join(", ")}`;
    default:
      return entry.kind.replace("_", " ");
  }
}

/** A finding as one row, with the state that it has after all entries about it. */
export interface FindingRow {
  /** Hex. */
  readonly id: string;
  /** `seq` of the last entry that changed it. */
  readonly version: number;
  /** The record with that entry. */
  readonly index: number;
  /** When it was concluded. */
  readonly atMs: number;
  readonly kind: string;
  readonly severity: string;
  readonly standing: Standing;
  readonly nodeName: string;
  readonly node: string;
  readonly connection: string;
  readonly title: string;
  /** JSON. */
  readonly evidence: string;
}

export function writeFindingRow(blocks: RowBlocks, row: FindingRow): void {
  const { standing } = row;
  const to = blocks.row("finding_rows", "");
  to.id.push(Buffer.from(row.id, "hex"));
  to.version.push(row.version);
  to.journal_index.push(row.index);
  to.time.push(row.atMs);
  to.kind.push(row.kind);
  to.severity.push(row.severity);
  to.state.push(standing.state);
  to.node.push(row.nodeName);
  to.node_id.push(row.node);
  to.connection_id.push(row.connection);
  to.title.push(row.title);
  to.evidence.push(row.evidence);
  to.reason.push(standing.reason);
  to.ruled_by.push(standing.actor);
  to.ruled_until.push(standing.expiresAtMs);
  to.ruled_index.push(standing.ruling.index);
  to.ruled_seq.push(standing.ruling.seq);
}

export function writeNode(blocks: RowBlocks, stream: NodeStream, version: number): void {
  const { memory } = stream;
  const to = blocks.row("node_rows", "");
  to.id.push(Buffer.from(stream.id, "hex"));
  to.version.push(version);
  to.name.push(stream.name);
  to.addresses.push(JSON.stringify(Object.values(memory.addresses).flat()));
  to.last_seen.push(memory.lastReceivedMs);
  to.watermark.push(memory.watermarkMs);
  to.state.push(stream.shownState);
  to.memory.push(JSON.stringify(memory));
}
