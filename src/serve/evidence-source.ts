/** What an export of evidence asks of this server: the store tells where, the journal what. */
import type { Nodes } from "../control/nodes.ts";
import type {
  BatchQuery,
  EvidenceSource,
  FindingPlace,
  SourceBatch,
  SourceRecord,
  StatementQuery,
} from "../evidence/source.ts";
import { chainHash, encodeHeader } from "../format/batch.ts";
import { signReceipt } from "../format/receipt.ts";
import type { ServerKey } from "../ingest/server-key.ts";
import type { Journal } from "../journal/journal.ts";
import type { StoreReader } from "./query/store-reader.ts";

export interface EvidenceParts {
  readonly store: StoreReader;
  readonly journal: Pick<Journal, "readSome" | "durableEnd">;
  readonly nodes: Pick<Nodes, "get">;
  readonly serverKey: ServerKey;
}

/** A record alone, and what happens to be read with it. */
const RECORD_BYTES = 4 * 1024;

export function evidenceSource(parts: EvidenceParts): EvidenceSource {
  const { store, journal, nodes, serverKey } = parts;
  return {
    serverKey: serverKey.publicKeyBytes,
    serverId: serverKey.nodeId.toString("hex"),
    findingPlace: async (id) => {
      const [row] = await store.rows<FindingPlace>({
        // The physical table: the public one does not say where the ruling stands.
        text: `SELECT journal_index AS index, toUnixTimestamp64Milli(time) AS concludedMs,
            ruled_index AS ruledIndex
          FROM finding_rows FINAL WHERE finding_rows.id = toFixedString(unhex({id:String}), 16)`,
        params: { id },
      });
      return row;
    },
    rulings: async (id, sinceMs, limitCount) => {
      const rows = await store.rows<{ index: number }>({
        text: `SELECT DISTINCT journal_index AS index FROM log_rows
          WHERE kind = 'ruling' AND JSONExtractString(attributes, 'finding') = {id:String}
            AND time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
          ORDER BY index DESC LIMIT {limit:UInt32}`,
        params: { id, since: sinceMs, limit: limitCount },
      });
      return rows.map(({ index }) => index);
    },
    contradiction: async (kinds, one, other) => {
      const [row] = await store.rows<{ id: string; index: number }>({
        text: `SELECT id, journal_index AS index FROM findings
          WHERE state = 'open' AND connection_id != '' AND kind IN {kinds:Array(String)}
            AND hasAll(JSONExtract(evidence, 'nodes', 'Array(String)'), {nodes:Array(String)})
          ORDER BY journal_index LIMIT 1`,
        params: { kinds, nodes: [one, other] },
      });
      return row;
    },
    record: (index) => recordAt(journal, index),
    batches: (query) => batches(store, query),
    statements: (query) => statements(store, query),
    firstIndexSince: (receivedMs) => firstIndexSince(journal, receivedMs),
    membership: (nodeId) => membership(nodes, nodeId),
    receipt: (header, { index, receivedMs }) => {
      const { nodeId, epoch, batchNo } = header;
      const head = chainHash(encodeHeader(header));
      return signReceipt({ nodeId, epoch, batchNo, head, index, receivedMs }, serverKey.privateKey);
    },
  };
}

async function recordAt(
  journal: EvidenceParts["journal"],
  index: number,
): Promise<SourceRecord | undefined> {
  const [record] = await journal.readSome({ fromIndex: index, bytesMax: RECORD_BYTES });
  // A copy: the frame is a view into all that was read.
  return record?.index === index ? { ...record, frame: Buffer.from(record.frame) } : undefined;
}

/** The physical table: the public one does not have the node's id. Its key is the place in the journal. */
async function batches(store: StoreReader, query: BatchQuery): Promise<SourceBatch[]> {
  const { nodeId, fromIndex = 0, toIndex, closedFromMs, fromEnd = false, limitCount } = query;
  const rows = await store.rows<SourceBatch>({
    text: `SELECT journal_index AS index, epoch, batch_no AS batchNo,
        toUnixTimestamp64Milli(closed) AS closedMs, toUnixTimestamp64Milli(complete_to) AS completeToMs,
        payload_bytes AS payloadBytes, raw_bytes AS rawBytes
      FROM batch_rows
      WHERE node_id = unhex({node:String}) AND journal_index BETWEEN {from:Int64} AND {to:Int64}
        AND closed >= fromUnixTimestamp64Milli({closed:Int64}, 'UTC')
      ORDER BY journal_index ${fromEnd ? "DESC" : "ASC"} LIMIT {limit:UInt32}`,
    params: {
      node: nodeId,
      from: fromIndex,
      to: toIndex ?? Number.MAX_SAFE_INTEGER,
      closed: Math.max(0, closedFromMs ?? 0),
      limit: limitCount,
    },
  });
  return fromEnd ? rows.toReversed() : rows;
}

async function statements(store: StoreReader, query: StatementQuery): Promise<number[]> {
  const { nodeId, kind, fromMs, toMs, limitCount } = query;
  const rows = await store.rows<{ index: number }>({
    text: `SELECT journal_index AS index FROM log_rows
      WHERE node_id = unhex({node:String}) AND kind = {kind:String}
        AND time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND time <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      ORDER BY time DESC LIMIT {limit:UInt32}`,
    params: { node: nodeId, kind, from: Math.max(0, fromMs), to: toMs, limit: limitCount },
  });
  return rows.map(({ index }) => index);
}

/** Records are received in the order of the journal, but for a clock that was set back. */
async function firstIndexSince(
  journal: EvidenceParts["journal"],
  receivedMs: number,
): Promise<number> {
  let [low, high] = [0, journal.durableEnd.index];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const record = await recordAt(journal, middle);
    if (record !== undefined && record.receivedMs < receivedMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function membership(
  nodes: EvidenceParts["nodes"],
  nodeId: string,
): ReturnType<EvidenceSource["membership"]> {
  const node = nodes.get(nodeId);
  if (node === undefined) return undefined;
  const { enrolledAtMs, revoked } = node;
  return {
    enrolledMs: enrolledAtMs,
    ...(revoked === undefined ? {} : { revokedMs: revoked.atMs }),
  };
}
