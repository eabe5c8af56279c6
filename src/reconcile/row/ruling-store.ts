/** Findings that were ruled upon, and the connections they are about, in the store. */
import type { ClickHouseClient } from "@clickhouse/client";
import { BY_HAND, NO_HALF } from "../../store/schema.ts";
import type { FindingRow } from "./entry-rows.ts";
import type { FindingState } from "../../format/finding-state.ts";
import type { Rewrite, RulingStore } from "./rulings.ts";

interface RawFindingRow {
  readonly id: string;
  readonly version: string;
  readonly journal_index: string;
  readonly time_ms: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: FindingState;
  readonly node: string;
  readonly node_id: string;
  readonly connection_id: string;
  readonly title: string;
  readonly evidence: string;
  readonly reason: string;
  readonly ruled_by: string;
  readonly ruled_until_ms: string;
  readonly ruled_index: string;
  readonly ruled_seq: string;
}

const SELECT = `SELECT lower(hex(id)) AS id, version, journal_index, toUnixTimestamp64Milli(time) AS time_ms,
  kind, severity, state, node, node_id, connection_id, title, evidence, reason, ruled_by,
  toUnixTimestamp64Milli(ruled_until) AS ruled_until_ms, ruled_index, ruled_seq FROM finding_rows FINAL`;

const KEY = `k_opened = fromUnixTimestamp64Milli({openedMs:Int64}, 'UTC') AND k_node = unhex({node:String})
  AND k_epoch = {epoch:UInt32} AND k_seq = {seq:UInt64}`;

/** The row is chosen inside, or the new verdict would stand for the old one in the condition. */
const chosen = (condition: string) =>
  `FROM (SELECT * FROM connection_rows FINAL WHERE ${KEY} AND ${condition})`;

const EXCUSE = `* REPLACE ('excused' AS verdict, '${BY_HAND}' AS excuse,
  {index:UInt64} AS excuse_index, {seqOfRuling:UInt64} AS excuse_seq, {version:UInt64} AS version)
  ${chosen("verdict IN ('missing', 'differs')")}`;
/** What the comparison had said: two halves that differ, or one that stands alone. */
const REOPEN = `* REPLACE (if(b_role = ${NO_HALF}, 'missing', 'differs') AS verdict, '' AS excuse,
  0 AS excuse_index, 0 AS excuse_seq, {version:UInt64} AS version)
  ${chosen(`excuse = '${BY_HAND}'`)}`;

export class ClickHouseRulingStore implements RulingStore {
  readonly #client: ClickHouseClient;

  constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  async findings(ids?: readonly string[]): Promise<FindingRow[]> {
    const which =
      ids === undefined
        ? "state IN ('excused', 'acknowledged')"
        : "finding_rows.id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))";
    const result = await this.#client.query({
      query: `${SELECT} WHERE ${which}`,
      query_params: { ids: ids ?? [] },
      format: "JSONEachRow",
    });
    return (await result.json<RawFindingRow>()).map(rowOf);
  }

  /** No token: what the statement inserts depends on what is there, and nothing is inserted twice. */
  async rewrite({ excused, ...key }: Rewrite, version: number): Promise<void> {
    await this.#client.command({
      query: `INSERT INTO connection_rows SELECT ${excused === undefined ? REOPEN : EXCUSE}`,
      query_params: { ...key, version, index: excused?.index, seqOfRuling: excused?.seq },
      clickhouse_settings: { insert_deduplicate: 0 },
    });
  }
}

function rowOf(stored: RawFindingRow): FindingRow {
  return {
    id: stored.id,
    version: Number(stored.version),
    index: Number(stored.journal_index),
    atMs: Number(stored.time_ms),
    kind: stored.kind,
    severity: stored.severity,
    standing: {
      state: stored.state,
      reason: stored.reason,
      actor: stored.ruled_by,
      expiresAtMs: Number(stored.ruled_until_ms),
      ruling: { index: Number(stored.ruled_index), seq: Number(stored.ruled_seq) },
    },
    nodeName: stored.node,
    node: stored.node_id,
    connection: stored.connection_id,
    title: stored.title,
    evidence: stored.evidence,
  };
}
