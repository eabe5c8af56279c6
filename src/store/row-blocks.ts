/**
 * Rows on their way into the store: one growing Native block per table and partition, because an
 * insert that is to count exactly once must be one block in one partition.
 */
import { FixedColumn, IntColumn, nativeBlock, StringColumn, type Column } from "./native.ts";
import type { TableName } from "./schema.ts";

const u8 = () => new IntColumn("UInt8", 1);
const u16 = () => new IntColumn("UInt16", 2);
const u32 = () => new IntColumn("UInt32", 4);
const u64 = () => new IntColumn("UInt64", 8);
const i8 = () => new IntColumn("Int8", 1);
const i64 = () => new IntColumn("Int64", 8);
const time = () => new IntColumn("DateTime64(3, 'UTC')", 8);
const id = () => new FixedColumn("FixedString(16)", 16);
const hash = () => new FixedColumn("FixedString(32)", 32);
const text = () => new StringColumn();

/** The columns of each table in the order of the schema, as makers of empty columns. */
const COLUMNS = {
  connection_rows: () => ({
    k_opened: time(),
    k_node: id(),
    k_epoch: u32(),
    k_seq: u64(),
    version: u64(),
    deleted: u8(),
    settled: u8(),
    parked: u8(),
    network: text(),
    protocol: u8(),
    initiator_ip: text(),
    initiator_port: u16(),
    responder_ip: text(),
    responder_port: u16(),
    initiator_node: text(),
    responder_node: text(),
    verdict: i8(),
    excuse: text(),
    excuse_index: u64(),
    excuse_seq: u64(),
    counters: i8(),
    a_role: u8(),
    a_flags: u8(),
    a_state: text(),
    a_clock: i64(),
    a_proven: i64(),
    a_duration: i64(),
    a_initiator_packets: u64(),
    a_initiator_bytes: u64(),
    a_responder_packets: u64(),
    a_responder_bytes: u64(),
    a_initiator_payload: i64(),
    a_responder_payload: i64(),
    a_index: u64(),
    b_node: id(),
    b_epoch: u32(),
    b_seq: u64(),
    b_role: u8(),
    b_flags: u8(),
    b_state: text(),
    b_clock: i64(),
    b_proven: i64(),
    b_opened_after: i64(),
    b_duration_more: i64(),
    b_initiator_packets_more: i64(),
    b_initiator_bytes_more: i64(),
    b_responder_packets_more: i64(),
    b_responder_bytes_more: i64(),
    b_initiator_payload_more: i64(),
    b_responder_payload_more: i64(),
    b_index: u64(),
    x_initiator_ip: text(),
    x_initiator_port: u16(),
    x_responder_ip: text(),
    x_responder_port: u16(),
  }),
  log_rows: () => ({
    time: time(),
    node: text(),
    node_id: id(),
    epoch: u32(),
    seq: u64(),
    kind: text(),
    severity_number: u8(),
    body: text(),
    attributes: text(),
    journal_index: u64(),
  }),
  audit_rows: () => ({
    time: time(),
    id: id(),
    operation: id(),
    actor_type: text(),
    actor_id: text(),
    actor: text(),
    address: text(),
    origin: text(),
    action: text(),
    is_read: u8(),
    target_type: text(),
    target_id: text(),
    target: text(),
    changes: text(),
    outcome: text(),
    code: text(),
    facts: text(),
    journal_index: u64(),
    seq: u64(),
  }),
  batch_rows: () => ({
    journal_index: u64(),
    received: time(),
    node: text(),
    node_id: id(),
    epoch: u32(),
    batch_no: u64(),
    flags: u16(),
    seq_first: u64(),
    entry_count: u32(),
    closed: time(),
    complete_to: time(),
    payload_bytes: u32(),
    raw_bytes: u32(),
    chain_hash: hash(),
  }),
  finding_rows: () => ({
    id: id(),
    version: u64(),
    journal_index: u64(),
    time: time(),
    kind: text(),
    severity: text(),
    state: text(),
    node: text(),
    node_id: text(),
    connection_id: text(),
    title: text(),
    evidence: text(),
    reason: text(),
    ruled_by: text(),
    ruled_until: time(),
    ruled_index: u64(),
    ruled_seq: u64(),
  }),
  node_rows: () => ({
    id: id(),
    version: u64(),
    name: text(),
    addresses: text(),
    last_seen: time(),
    watermark: time(),
    state: text(),
    memory: text(),
  }),
  derive_cursor: () => ({ name: text(), next_index: u64() }),
} satisfies Record<TableName, () => Record<string, Column>>;

export type Columns<T extends TableName> = ReturnType<(typeof COLUMNS)[T]>;

/** A block that is ready to be inserted. */
export interface ReadyBlock {
  readonly table: TableName;
  /** The partition's id in the store; empty for a table without partitions. */
  readonly partition: string;
  readonly rows: number;
  readonly bytes: Buffer;
}

interface OpenBlock {
  readonly table: TableName;
  readonly partition: string;
  readonly columns: Record<string, Column>;
  rows: number;
}

export class RowBlocks {
  readonly #blocks = new Map<string, OpenBlock>();
  /** Rows come in runs: the block of the last one is nearly always the next one's too. */
  #last: OpenBlock = { table: "derive_cursor", partition: "none", columns: {}, rows: 0 };

  /** The columns to push one row into; every column must get exactly one value. */
  row<T extends TableName>(table: T, partition: string): Columns<T> {
    let block = this.#last;
    if (block.table !== table || block.partition !== partition) {
      const key = `${table} ${partition}`;
      block = this.#blocks.get(key) ?? { table, partition, columns: COLUMNS[table](), rows: 0 };
      this.#blocks.set(key, block);
      this.#last = block;
    }
    block.rows++;
    return block.columns as Columns<T>;
  }

  /** All blocks with rows; empties them. */
  drain(): ReadyBlock[] {
    const ready: ReadyBlock[] = [];
    for (const [key, block] of this.#blocks) {
      // A partition that got nothing this time is an old day: its memory is let go.
      if (block.rows === 0) {
        this.#blocks.delete(key);
        if (this.#last === block) this.#last = { ...block, partition: "none" };
        continue;
      }
      const bytes = nativeBlock(block.columns, block.rows);
      ready.push({ table: block.table, partition: block.partition, rows: block.rows, bytes });
      for (const column of Object.values(block.columns)) column.reset();
      block.rows = 0;
    }
    return ready;
  }
}

/** Of a log entry the partition can be given up; what the others say evidence may need for as long as there is any. */
export function logPartitionOf(kind: string, atMs: number): string {
  return `${dayOf(atMs)}-${Number(kind === "log")}`;
}

const DAY_MS = 86_400_000;
const dayTexts = new Map<number, string>();

/** The day of a time in UTC, `20261123`: the partition of most tables. */
export function dayOf(atMs: number): string {
  const day = Math.floor(atMs / DAY_MS);
  let name = dayTexts.get(day);
  if (name === undefined) {
    if (dayTexts.size > 1000) dayTexts.clear();
    name = new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
    dayTexts.set(day, name);
  }
  return name;
}
