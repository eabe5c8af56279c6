/**
 * What deriving reads from the store and writes to it. The position in the journal is itself a row,
 * so that a store that was lost, replaced or restored is simply behind, and is caught up.
 */
import { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { isDisposable } from "../../store/foreign-tables.ts";
import { LIST_VIEWS, SCHEMA_MARK, TABLES, VIEWS, type TableName } from "../../store/schema.ts";
import type { ReadyBlock } from "../../store/row-blocks.ts";
import { STORED_COLUMNS, type StoredConnection } from "../row/restore-connection.ts";
import type { StoredRow } from "../row/halves-in-row.ts";
import { MINUTE_MS, type ParkedRange } from "../row/parked-times.ts";
import type { NodeMemory } from "../node/node-memory.ts";
import type { StoredFinding } from "../node/server-memory.ts";
import { storedFinding } from "../finding/stored-finding.ts";

export interface StoredNode {
  readonly id: string;
  readonly name: string;
  readonly memory: NodeMemory;
  /** Journal index after the record by which the row was written. */
  readonly version: number;
}

/** How far the store is. */
export interface Position {
  /** Index of the first record whose rows are not all there. */
  readonly next: number;
  /** Index of the first record with a half that may have no row; at most `next`. */
  readonly rereadFrom: number;
}

/** The records that rows were made from; `to` is exclusive, and the version of rows that have one. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

export interface DeriveStore {
  /** Makes tables and views; drops all of an older schema, because the journal can make it anew. */
  prepare(): Promise<void>;
  position(): Promise<Position>;
  setPosition(position: Position): Promise<void>;
  /** Inserts a block; the same token again changes nothing. */
  insert(block: ReadyBlock, token: string): Promise<void>;
  /** Inserts a block of which nobody knows whether an earlier try succeeded. */
  insertAgain(block: ReadyBlock, token: string, range: RowRange): Promise<void>;
  nodes(): Promise<StoredNode[]>;
  /** Those that stand: what is resolved is as if it had never been. */
  findings(): Promise<StoredFinding[]>;
  /** Connections that something may still change and that are not parked, and those written after `position`. */
  eachUnsettled(position: number, each: (stored: StoredConnection) => void): Promise<void>;
  /** Halves that are parked and began in these minutes. */
  eachParked(range: ParkedRange, each: (stored: StoredConnection) => void): Promise<void>;
}

/** Names of cursors: both move forward only, so that the largest of each is the newest. */
const NEXT = "derive";
const REREAD = "derive from";

/** Which rows came with a range. */
const OF_RANGE = {
  connection_rows: "version = {to:UInt64}",
  node_rows: "version = {to:UInt64}",
  log_rows: "journal_index >= {from:UInt64} AND journal_index < {to:UInt64}",
  audit_rows: "journal_index >= {from:UInt64} AND journal_index < {to:UInt64}",
  batch_rows: "journal_index >= {from:UInt64} AND journal_index < {to:UInt64}",
  finding_rows: "journal_index >= {from:UInt64} AND journal_index < {to:UInt64}",
  derive_cursor: "next_index = {to:UInt64}",
} as const satisfies Record<TableName, string>;

const UNSETTLED = "(settled = 0 AND parked = 0 OR version > {position:UInt64})";

/** By the sort key, as far as clocks allow; and by the minute of the server's clock. */
const PARKED = `parked = 1 AND k_opened >= fromUnixTimestamp64Milli({openedFrom:Int64}, 'UTC')
  AND k_opened < fromUnixTimestamp64Milli({openedTo:Int64}, 'UTC')
  AND toUnixTimestamp64Milli(k_opened) - a_clock >= {from:Int64}
  AND toUnixTimestamp64Milli(k_opened) - a_clock < {to:Int64}`;

export class ClickHouseDeriveStore implements DeriveStore {
  readonly #client: ClickHouseClient;

  constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  async prepare(): Promise<void> {
    const rows = await this.#rows<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase()",
    );
    const tables = rows.map((row) => row.name);
    if (!tables.includes(SCHEMA_MARK)) {
      for (const table of tables.filter(isDisposable)) {
        await this.#command(`DROP TABLE IF EXISTS \`${table}\``);
      }
    }
    for (const [table, definition] of Object.entries(TABLES)) {
      await this.#command(`CREATE TABLE IF NOT EXISTS ${table} (${definition}`);
    }
    // Never replaced: for a moment there would be none, and somebody may be asking.
    for (const [view, definition] of Object.entries({ ...VIEWS, ...LIST_VIEWS })) {
      await this.#command(`CREATE VIEW IF NOT EXISTS ${view} AS ${definition}`);
    }
    await this.#command(`CREATE TABLE IF NOT EXISTS ${SCHEMA_MARK} (x UInt8) ENGINE = Memory`);
  }

  async position(): Promise<Position> {
    const rows = await this.#rows<{ name: string; at: string }>(
      "SELECT name, toString(max(next_index)) AS at FROM derive_cursor GROUP BY name",
    );
    const at = (name: string) => rows.find((row) => row.name === name)?.at;
    const next = Number(at(NEXT) ?? 0);
    return { next, rereadFrom: Number(at(REREAD) ?? next) };
  }

  /**
   * One insert, so that there is never one without the other. Again is harmless without a token, and
   * must not be dropped.
   */
  async setPosition({ next, rereadFrom }: Position): Promise<void> {
    const rows = `('${NEXT}', ${next}), ('${REREAD}', ${rereadFrom})`;
    await this.#command(`INSERT INTO derive_cursor VALUES ${rows}`, { insert_deduplicate: 0 });
  }

  async insert(block: ReadyBlock, token: string): Promise<void> {
    const result = await this.#client.exec({
      query: `INSERT INTO ${block.table} FORMAT Native`,
      values: Readable.from([block.bytes], { objectMode: false }),
      clickhouse_settings: {
        insert_deduplication_token: token,
        insert_deduplicate: 1,
        // One block stays one part, or the token would name several.
        max_insert_block_size: "10000000",
        min_insert_block_size_rows: "0",
        min_insert_block_size_bytes: "0",
      } as Record<string, string | number>,
    });
    result.stream.destroy();
  }

  /**
   * The engine notes a token just before the part gets its name. Killed in between, it refuses the
   * token for ever and has no rows; as a block is one part, one row tells that all are there.
   */
  async insertAgain(block: ReadyBlock, token: string, range: RowRange): Promise<void> {
    await this.insert(block, token);
    for (let again = 1; !(await this.#has(block, range)); again++) {
      await this.insert(block, `${token} again ${again}`);
    }
  }

  async #has({ table, partition }: ReadyBlock, { from, to }: RowRange): Promise<boolean> {
    const result = await this.#client.query({
      query: `SELECT 1 FROM ${table} WHERE _partition_id = {partition:String} AND ${OF_RANGE[table]} LIMIT 1`,
      query_params: { partition: partition === "" ? "all" : partition, from, to },
      format: "JSONEachRow",
    });
    return (await result.json()).length > 0;
  }

  async nodes(): Promise<StoredNode[]> {
    const rows = await this.#rows<{ id: string; name: string; memory: string; version: string }>(
      "SELECT lower(hex(id)) AS id, name, memory, version FROM node_rows FINAL ORDER BY id",
    );
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      memory: JSON.parse(row.memory) as NodeMemory,
      version: Number(row.version),
    }));
  }

  async findings(): Promise<StoredFinding[]> {
    const rows = await this.#rows<OpenFindingRow>(
      `SELECT lower(hex(id)) AS id, 'open' AS state, kind AS finding, connection_id AS connection,
        if(${NEEDS_EVIDENCE}, evidence, '') AS evidence
        FROM finding_rows FINAL WHERE finding_rows.state != 'resolved'`,
    );
    return rows.map(({ evidence, ...row }) =>
      storedFinding({
        ...row,
        evidence: evidence === "" ? {} : (JSON.parse(evidence) as Record<string, unknown>),
      }),
    );
  }

  async eachUnsettled(position: number, each: (stored: StoredConnection) => void): Promise<void> {
    await this.#eachStored(UNSETTLED, { position }, each);
  }

  async eachParked(range: ParkedRange, each: (stored: StoredConnection) => void): Promise<void> {
    const { clockMinMs, clockMaxMs } = range;
    const [from, to] = [range.fromMinute * MINUTE_MS, range.toMinute * MINUTE_MS];
    const opened = { openedFrom: from + clockMinMs, openedTo: to + clockMaxMs };
    await this.#eachStored(PARKED, { from, to, ...opened }, each);
  }

  async #eachStored(
    which: string,
    params: Readonly<Record<string, number>>,
    each: (stored: StoredConnection) => void,
  ): Promise<void> {
    const receivedMs = await this.#receivedMs(which, params);
    const result = await this.#client.query({
      query: `SELECT ${STORED_COLUMNS} FROM connection_rows FINAL
        WHERE ${which} ORDER BY k_opened, k_node, k_epoch, k_seq`,
      query_params: params,
      // Names once: in every row they would be two thirds of it.
      format: "JSONCompactEachRowWithNames",
    });
    let names: readonly string[] | undefined;
    for await (const rows of result.stream()) {
      for (const row of rows) {
        const values = row.json<readonly (string | number)[]>();
        if (names === undefined) names = values.map(String);
        else each({ row: rowOf(names, values), receivedMs });
      }
    }
  }

  /** When the server received the batches with the opens of those connections. */
  async #receivedMs(
    which: string,
    params: Readonly<Record<string, number>>,
  ): Promise<(journalIndex: number) => number | undefined> {
    const result = await this.#client.query({
      query: `SELECT journal_index, toUnixTimestamp64Milli(received) AS ms FROM batch_rows
        WHERE journal_index IN (SELECT arrayJoin([a_index, b_index]) FROM connection_rows FINAL WHERE ${which})`,
      query_params: params,
      format: "JSONCompactEachRow",
    });
    const byIndex = new Map<number, number>();
    for await (const rows of result.stream<[index: string, ms: string]>()) {
      for (const row of rows) {
        const [index, ms] = row.json<[index: string, ms: string]>();
        byIndex.set(Number(index), Number(ms));
      }
    }
    return (journalIndex) => byIndex.get(journalIndex);
  }

  async #rows<Row>(query: string): Promise<Row[]> {
    const result = await this.#client.query({ query, format: "JSONEachRow" });
    return result.json<Row>();
  }

  async #command(query: string, settings: Record<string, string | number> = {}): Promise<void> {
    await this.#client.command({ query, clickhouse_settings: settings });
  }
}

function rowOf(names: readonly string[], values: readonly (string | number)[]): StoredRow {
  const row: Record<string, string | number> = {};
  for (const [at, name] of names.entries()) row[name] = values[at] ?? "";
  return row;
}

interface OpenFindingRow {
  readonly id: string;
  readonly state: "open";
  readonly finding: string;
  readonly connection: string;
  readonly evidence: string;
}

/** Those of which a restart needs more than their state. */
const NEEDS_EVIDENCE = "kind IN ('missing-half', 'counters-differ', 'accused')";
