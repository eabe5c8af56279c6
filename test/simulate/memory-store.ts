/** The store as deriving sees it, in memory: the newest version of each row, as the engine would keep it. */
import type { StoredRow } from "../../src/reconcile/row/halves-in-row.ts";
import type { StoredConnection } from "../../src/reconcile/row/restore-connection.ts";
import {
  type DeriveStore,
  type Position,
  type StoredNode,
} from "../../src/reconcile/derive/derive-store.ts";
import type { StoredFinding } from "../../src/reconcile/node/server-memory.ts";
import { storedFinding } from "../../src/reconcile/finding/stored-finding.ts";
import { minuteOf, type ParkedRange } from "../../src/reconcile/row/parked-times.ts";
import type { NodeMemory } from "../../src/reconcile/node/node-memory.ts";
import type { ReadyBlock } from "../../src/store/row-blocks.ts";
import { COUNTER_STATES, VERDICTS } from "../../src/format/verdict.ts";
import type { TableName } from "../../src/store/schema.ts";
import { type NativeRow, nativeRows } from "./native-rows.ts";

/** What makes a row of a table the same row. */
const KEYS: Readonly<Record<TableName, readonly string[]>> = {
  connection_rows: ["k_opened", "k_node", "k_epoch", "k_seq"],
  log_rows: ["node_id", "epoch", "seq", "journal_index"],
  audit_rows: ["id"],
  batch_rows: ["journal_index"],
  finding_rows: ["id"],
  node_rows: ["id"],
  derive_cursor: ["name"],
};

export class MemoryStore implements DeriveStore {
  readonly #tables = new Map<TableName, Map<string, NativeRow>>();
  /** Halves that were taken back. */
  unparked = 0;
  readonly #tokens = new Set<string>();
  #position: Position = { next: 0, rereadFrom: 0 };

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  position(): Promise<Position> {
    return Promise.resolve(this.#position);
  }

  setPosition(position: Position): Promise<void> {
    this.#position = position;
    return Promise.resolve();
  }

  insert({ table, bytes }: ReadyBlock, token: string): Promise<void> {
    if (this.#tokens.has(token)) return Promise.resolve();
    this.#tokens.add(token);
    const rows = this.#tables.get(table) ?? new Map<string, NativeRow>();
    this.#tables.set(table, rows);
    for (const row of nativeRows(bytes)) {
      const key = KEYS[table].map((column) => row[column]).join(" ");
      const before = rows.get(key);
      if (before === undefined || Number(before["version"]) <= Number(row["version"]))
        rows.set(key, row);
    }
    return Promise.resolve();
  }

  insertAgain(block: ReadyBlock, token: string): Promise<void> {
    return this.insert(block, token);
  }

  nodes(): Promise<StoredNode[]> {
    const nodes = this.rows("node_rows").map((row) => ({
      id: String(row["id"]),
      name: String(row["name"]),
      memory: JSON.parse(String(row["memory"])) as NodeMemory,
      version: Number(row["version"]),
    }));
    return Promise.resolve(nodes);
  }

  findings(): Promise<StoredFinding[]> {
    const open = this.rows("finding_rows").filter((row) => row["state"] !== "resolved");
    const found = open.map((row) =>
      storedFinding({
        id: String(row["id"]),
        state: "open",
        finding: String(row["kind"]),
        connection: String(row["connection_id"]),
        evidence: JSON.parse(String(row["evidence"])) as Record<string, unknown>,
      }),
    );
    return Promise.resolve(found);
  }

  eachUnsettled(position: number, each: (stored: StoredConnection) => void): Promise<void> {
    const received = new Map(
      this.rows("batch_rows").map((row) => [Number(row["journal_index"]), Number(row["received"])]),
    );
    for (const row of this.rows("connection_rows")) {
      if ((row["settled"] === 1 || row["parked"] === 1) && Number(row["version"]) <= position)
        continue;
      each({ row: stored(row), receivedMs: (index) => received.get(index) });
    }
    return Promise.resolve();
  }

  eachParked(range: ParkedRange, each: (stored: StoredConnection) => void): Promise<void> {
    const received = new Map(
      this.rows("batch_rows").map((row) => [Number(row["journal_index"]), Number(row["received"])]),
    );
    for (const row of this.rows("connection_rows")) {
      const minute = minuteOf(Number(row["k_opened"]) - Number(row["a_clock"]));
      if (row["parked"] !== 1 || minute < range.fromMinute || minute >= range.toMinute) continue;
      this.unparked++;
      each({ row: stored(row), receivedMs: (index) => received.get(index) });
    }
    return Promise.resolve();
  }

  /** A new version of a row, made from the one that stands; undefined leaves that. */
  replace(table: TableName, key: string, make: (row: NativeRow) => NativeRow | undefined): void {
    const rows = this.#tables.get(table);
    const before = rows?.get(key);
    const after = before === undefined ? undefined : make(before);
    if (after !== undefined) rows?.set(key, after);
  }

  /** By key; without rows that are deleted. */
  rows(table: TableName): NativeRow[] {
    const rows = [...(this.#tables.get(table) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return rows.map(([, row]) => row).filter((row) => row["deleted"] !== 1);
  }
}

function stored(row: NativeRow): StoredRow {
  return {
    ...row,
    k_opened_ms: Number(row["k_opened"]),
    verdict: VERDICTS[Number(row["verdict"])] ?? "",
    counters: COUNTER_STATES[Number(row["counters"])] ?? "",
  };
}
